/** Sends a number of datagrams to the discard port of the loopback address. */
import { createSocket } from "node:dgram";

const count = Number(process.argv[2]);
/** Datagrams handed to the kernel before one is waited for. */
const AT_ONCE = 256;
const socket = createSocket("udp4");
socket.on("error", () => {});
await new Promise<void>((resolve) => socket.connect(9, "127.0.0.1", resolve));
for (let sent = 0; sent < count; sent += AT_ONCE) {
  const sends = Array.from({ length: Math.min(AT_ONCE, count - sent) }, send);
  await Promise.all(sends);
}
socket.close();

/** A refusal (nobody listens on the port) is told to the next send; the packet was logged all the same. */
async function send(): Promise<void> {
  for (;;) {
    const error = await new Promise<Error | null>((resolve) => socket.send("x", resolve));
    if (error === null) return;
  }
}
