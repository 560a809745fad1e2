/**
 * One DNS question to a server that does not exist (RFC 5737). Exits 0 when it is answered with NXDOMAIN; with the word
 * `watched`, when it is answered at all: what is only watched is asked of a resolver, which may say anything.
 */
import { createSocket } from "node:dgram";

const SERVER = "192.0.2.53";
const STEP_MS = 700;
const ATTEMPTS = 3;
/** LIMIT: a resolver that does not answer is given up by the gate after 3 s, which is an answer, too. */
const WATCHED_WAIT_MS = 5_000;
const NXDOMAIN = 3;
/** `probe.invalid A` (RFC 2606), id 0x5357. */
const QUESTION = Buffer.from("5357010000010000000000000570726f626507696e76616c69640000010001", "hex");

const isWatched = process.argv[2] === "watched";
for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) setTimeout(ask, attempt * STEP_MS);
setTimeout(() => process.exit(1), isWatched ? WATCHED_WAIT_MS : ATTEMPTS * STEP_MS);

/** From a port of its own each time: the connection table keeps where the first packet from a port went. */
function ask(): void {
  const socket = createSocket("udp4");
  socket.on("message", (bytes) => process.exit(isWatched || ((bytes[3] ?? 0) & 15) === NXDOMAIN ? 0 : 1));
  socket.on("error", () => undefined);
  socket.send(QUESTION, 53, SERVER, () => undefined);
}
