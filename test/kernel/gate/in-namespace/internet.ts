// The internet of a test, run in its namespace: `internet.ts KEY CERTIFICATE`. Prints what reaches it, a line each. A
// mark on its input is repeated after all that was seen before it.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { FromInternet, ToInternet } from "../seen.ts";
import { OTHER_RESOLVER4, OTHER_RESOLVER6, RESOLVER, SECOND_RESOLVER, ZONE } from "../zone.ts";
import { serveNames } from "./name-server.ts";
import { serveWeb } from "./web.ts";

const [keyFile = "", certFile = ""] = process.argv.slice(2);
const names = await serveNames([RESOLVER, SECOND_RESOLVER, OTHER_RESOLVER4, OTHER_RESOLVER6], ZONE, print);
await serveWeb({ key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") }, print);
createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line) as ToInternet;
  if (message.kind === "zone") names.setZone(message.zone);
  if (message.kind === "moods") names.setMoods(message.moods);
  if (message.kind === "mark") print(message);
});
print({ kind: "ready" });

function print(line: FromInternet): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
