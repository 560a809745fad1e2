/** The first process of the lab's namespaces. Its order is the first line of stdin; when stdin ends, so does the world. */
import process from "node:process";
import { createInterface } from "node:readline";
import { play } from "./play.ts";
import type { LabOrder, Message } from "./row.ts";

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  play(JSON.parse(line) as LabOrder, tell).catch((cause: unknown) => {
    tell({ kind: "failed", message: cause instanceof Error ? cause.message : String(cause) });
    process.stdout.write("", () => process.exit(1));
  });
});
lines.on("close", () => process.exit(0));

function tell(message: Message): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
