import type { ChildProcess } from "node:child_process";
import type { Host } from "./host.ts";
import type { SshOptions } from "./ssh.ts";

const SAY_DEADLINE_MS = 60_000;

export type Said = { readonly code: number; readonly text: string };

/** A login that stays open, as an operator's terminal does. */
export type Session = {
  /** Types a command and waits for its end: exit code and both outputs. */
  readonly say: (command: string) => Promise<Said>;
  readonly close: () => void;
};

/** Logs in by real ssh and keeps the shell open. */
export async function openSession(host: Host, options: SshOptions = {}): Promise<Session> {
  if (options.from !== undefined) await host.upstream.own(options.from);
  const child = host.upstream.start(host.ssh.argv("exec sh 2>&1", options));
  const session = { say: sayer(child), close: () => void child.kill("SIGKILL") };
  await session.say("true");
  return session;
}

function sayer(child: ChildProcess): (command: string) => Promise<Said> {
  let heard = "";
  let onText = () => {};
  const hear = (text: string) => {
    heard += text;
    onText();
  };
  child.stdout?.setEncoding("utf8").on("data", hear);
  child.stderr?.setEncoding("utf8").on("data", hear);
  child.stdin?.on("error", () => {});
  return (command) =>
    new Promise((resolve, reject) => {
      heard = "";
      const timer = setTimeout(() => reject(new Error(`${command}: no end\n${heard}`)), SAY_DEADLINE_MS);
      child.once("close", () => reject(new Error(`${command}: the session ended\n${heard}`)));
      onText = () => {
        const end = /\n?@ended (\d+)@\n/.exec(heard);
        if (!end) return;
        clearTimeout(timer);
        resolve({ code: Number(end[1]), text: heard.slice(0, end.index) });
      };
      child.stdin?.write(`${command}\necho "@ended $?@"\n`);
    });
}
