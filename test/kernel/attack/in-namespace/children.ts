/** Starts a program in every way that there is, and tells which they were. Arguments: the program, a uid. */
import { once } from "node:events";
import { ask, run, runSync, start, startLasting } from "../../../../src/edge/host/command.ts";
import { closeInherited } from "../../../../src/edge/host/descriptor.ts";
import { runAs } from "../../../../src/edge/host/stranger.ts";

const [program = "", uid = ""] = process.argv.slice(2);
closeInherited();
const doors: readonly (readonly [name: string, open: () => unknown])[] = [
  ["runSync", () => runSync(program, [])],
  ["run", () => run(program, [])],
  ["ask", () => ask(program, [])],
  ["start", () => once(start(program, [], ["pipe", "pipe", "pipe"]), "exit")],
  ["startLasting", () => once(startLasting(program, [], ["ignore", "ignore", "ignore"]), "exit")],
  ["runAs", () => runAs({ uid: Number(uid), gid: Number(uid) }, [program])],
];
for (const [, open] of doors) await open();
console.log(JSON.stringify({ doors: doors.map(([name]) => name) }));
