/**
 * A process in the agent's place: gives up root, then tries what it is asked. Arguments: uid, gid, then the other
 * groups by comma. It ends with its standard input.
 *
 * SECURITY: it drops root itself, after everything is loaded, rather than be started as the agent: so it needs no
 * file that the agent can read, and the kernel lets no process of the agent's look into it or change what it says
 * (ptrace(2): not dumpable after the change of uid).
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { Answer, Ask } from "./ask.ts";
import { askName } from "./attempt/dns.ts";
import { greet } from "./attempt/greet.ts";
import { connectTo, connectUnix, listenHere, sayTo, sendDatagram } from "./attempt/connect.ts";
import { leaveCgroup, runProgram, vanish } from "./attempt/escape.ts";
import { withPorts } from "./attempt/port.ts";

const [uidText, gidText, groupsText = ""] = process.argv.slice(2);
drop(Number(uidText), Number(gidText), groupsText.split(",").filter(Boolean).map(Number));

say(0, { outcome: "reached", code: "ready", ms: 0, text: "", dns: null });
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { id, ask } = JSON.parse(line) as { readonly id: number; readonly ask: Ask };
  withPorts(() => attempt(ask)).then(
    ({ value, ports }) => say(id, value, ports),
    (error: unknown) =>
      say(id, { outcome: "failed", code: String(error).slice(0, 200), ms: 0, text: "", dns: null }),
  );
});
lines.on("close", () => process.exit(0));

function say(id: number, answer: Answer, ports: readonly number[] = []): void {
  process.stdout.write(`${JSON.stringify({ id, answer, ports })}\n`);
}

/** Ends when root is not given up for good: what is tried as root proves nothing. */
function drop(uid: number, gid: number, groups: readonly number[]): void {
  process.setgroups?.([...groups]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  try {
    process.setuid?.(0);
  } catch {
    if (process.getuid?.() === uid && process.geteuid?.() === uid) return;
  }
  process.stderr.write("could not give up root\n");
  process.exit(1);
}

function attempt(ask: Ask): Promise<Answer> {
  switch (ask.do) {
    case "tcp":
      return connectTo(ask.address, ask.port);
    case "udp":
      return sendDatagram(ask.address, ask.port);
    case "dns":
      return askName(ask);
    case "tls":
      return greet(ask);
    case "say":
      return sayTo(ask.address, ask.port, ask.text);
    case "unix":
      return connectUnix(ask.paths);
    case "run":
      return runProgram(ask.program, ask.args, ask.input);
    case "leave":
      return leaveCgroup(ask.cgroups, ask.address, ask.port);
    case "vanish":
      return vanish(ask.address, ask.port);
    case "listen":
      return listenHere();
  }
}
