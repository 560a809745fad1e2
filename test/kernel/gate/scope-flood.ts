// One tenant that takes all it can get: `hold ADDRESS PORT COUNT`, `ask SERVER SUFFIX PER-TICK`. Says "full" once it has begun
// and goes on until its input ends.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { encodeQuery } from "./in-namespace/dns-message.ts";

const TICK_MS = 10;
/** When this many were begun, whoever waits is told. */
const BEGUN = 1_000;
const TYPE_A = 1;

const [what, target = "", second = "", third = ""] = process.argv.slice(2);
process.stdin.resume().once("end", () => process.exit());
let begun = 0;
const count = (): void => {
  begun += 1;
  if (begun === BEGUN) process.stdout.write("full\n");
};
if (what === "hold") for (let at = 0; at < Number(third); at += 1) hold(target, Number(second));
else ask(target, second, Number(third));

/** A silent client is given up after a while; another one takes its place. */
function hold(host: string, port: number): void {
  const socket = connect({ host, port });
  socket.on("connect", count);
  socket.on("error", () => undefined);
  socket.on("close", () => setTimeout(hold, TICK_MS, host, port));
}

/** Each question is for another name. */
function ask(server: string, suffix: string, perTick: number): void {
  const socket = createSocket("udp4");
  socket.on("error", () => undefined);
  let last = 0;
  setInterval(() => {
    for (let at = 0; at < perTick; at += 1) {
      last += 1;
      socket.send(encodeQuery(last % 65_536, `n${last}.${suffix}`, TYPE_A), 53, server, () => undefined);
      count();
    }
  }, TICK_MS);
}
