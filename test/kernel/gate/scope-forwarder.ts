// The resolver of a host on its own loopback: hands every question on, as systemd-resolved does.
import { createSocket } from "node:dgram";

const WAIT_MS = 3_000;
const [own = "", upstream = ""] = process.argv.slice(2);
const server = createSocket("udp4");
server.on("message", (question, from) => {
  const ask = createSocket("udp4");
  const end = setTimeout(() => ask.close(), WAIT_MS);
  ask.on("error", () => undefined);
  ask.once("message", (answer) => {
    clearTimeout(end);
    ask.close();
    server.send(answer, from.port, from.address);
  });
  ask.send(question, 53, upstream);
});
server.bind(53, own, () => process.stdout.write("ready\n"));
