// The internet of a test, run inside its namespace: `main.ts KEY CERTIFICATE`. Prints what it sees, a line each; a
// line on its input is repeated as a mark, so that the reader knows that it has seen all that came before.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { serveNames } from "./name-server.ts";
import type { Line } from "./seen.ts";
import { serveWeb } from "./web.ts";
import { ADDRESSES } from "./zone.ts";

const [keyFile = "", certFile = ""] = process.argv.slice(2);

await serveNames(ADDRESSES, print);
await serveWeb({ key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") }, print);
createInterface({ input: process.stdin }).on("line", (text) => print({ kind: "mark", text }));
print({ kind: "ready" });

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
