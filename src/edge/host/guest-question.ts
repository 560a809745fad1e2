/** One DNS question to a server that does not exist (RFC 5737). Exits 0 when it is answered with NXDOMAIN. */
import { createSocket } from "node:dgram";

const SERVER = "192.0.2.53";
const WAIT_MS = 700;
const ATTEMPTS = 3;
const NXDOMAIN = 3;
/** `probe.invalid A` (RFC 2606), id 0x5357. */
const QUESTION = Buffer.from("5357010000010000000000000570726f626507696e76616c69640000010001", "hex");

const socket = createSocket("udp4");
socket.on("message", (bytes) => process.exit(((bytes[3] ?? 0) & 15) === NXDOMAIN ? 0 : 1));
socket.on("error", () => undefined);
for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
  setTimeout(() => socket.send(QUESTION, 53, SERVER, () => undefined), attempt * WAIT_MS);
}
setTimeout(() => process.exit(1), ATTEMPTS * WAIT_MS);
