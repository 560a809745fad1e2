/**
 * Fetches a small answer over a new connection again and again, one at a time, and prints the microseconds of each as
 * JSON: from the first packet to the end of the answer.
 *   node connect-times.ts PROXY-PORT HOST PORT COUNT
 * PROXY-PORT 0 is no proxy; else the proxy on loopback is asked for a tunnel first.
 */
import { connect } from "node:net";

/** Fetched first and not counted. */
const WARM_UP = 300;
const ANSWER_LIMIT_MS = 5_000;

const [proxyPort = "0", host = "", port = "80", count = "1"] = process.argv.slice(2);
const tunnel = `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`;
const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
const times: number[] = [];
for (let at = -WARM_UP; at < Number(count); at += 1) {
  const us = await fetchOnce();
  if (at >= 0) times.push(us);
}
process.stdout.write(JSON.stringify(times));

function fetchOnce(): Promise<number> {
  return new Promise((resolve, reject) => {
    const direct = proxyPort === "0";
    const startMs = performance.now();
    const socket = connect({
      host: direct ? host : "127.0.0.1",
      port: Number(direct ? port : proxyPort),
      noDelay: true,
    });
    let said = "";
    let isOpen = direct;
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error("no answer in time")));
    socket.once("connect", () => socket.write(direct ? request : tunnel));
    socket.setEncoding("latin1").on("data", (text: string) => {
      said += text;
      if (isOpen || !said.includes("\r\n\r\n")) return;
      if (!/^HTTP\/1\.[01] 200 /.test(said)) socket.destroy(new Error(`no tunnel: ${said.slice(0, 200)}`));
      isOpen = true;
      said = "";
      socket.write(request);
    });
    socket.once("error", reject);
    socket.once("end", () => {
      const us = (performance.now() - startMs) * 1_000;
      if (isOpen && said.startsWith("HTTP/1.1 200 ")) resolve(us);
      else reject(new Error(`no answer through the tunnel: ${said.slice(0, 200)}`));
    });
  });
}
