import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { OwnedTable } from "../../../src/core/drift/table-owner.ts";
import type { RulesChange } from "../../../src/edge/kernel/rules-watch.ts";
import { ENVIRONMENT } from "./namespace.ts";
import { start } from "./command.ts";
import type { Host } from "./host.ts";

const SCRIPT = fileURLToPath(new URL("../../kernel/in-namespace/rules-watch.ts", import.meta.url));
const DEADLINE_MS = 30_000;

export type Watched = {
  readonly ready?: number;
  readonly change?: RulesChange;
  readonly lost?: true;
  readonly done?: string;
  readonly cpu?: { readonly cpuMs: number; readonly heapBytes: number };
  readonly tables?: readonly OwnedTable[];
  readonly stopped?: true;
};

export type Watcher = {
  readonly pid: number;
  /** Everything that it said so far. */
  readonly said: readonly Watched[];
  /** Waits until something that it says, from number `from` on, is what is wanted. */
  readonly until: (wanted: (line: Watched) => boolean, from?: number) => Promise<Watched>;
  /** Returns the changes told while `work` ran, and a last one by which it is known that none is missing. */
  readonly during: (work: () => Promise<unknown>) => Promise<readonly RulesChange[]>;
  /** Has the watcher itself do something, see the script. */
  readonly ask: (command: string, argument?: string | number) => Promise<void>;
  /** What it used since it was asked the last time. */
  readonly cpu: () => Promise<NonNullable<Watched["cpu"]>>;
  readonly stop: () => Promise<void>;
};

export type WatcherWanted = {
  /** In the host's own pid namespace, where the kernel's process ids mean nothing. */
  readonly inPidNamespace?: boolean;
  readonly bufferBytes?: number;
};

/** Starts a watcher in the network namespace of the host. */
export async function watchOn(host: Host, wanted: WatcherWanted = {}): Promise<Watcher> {
  const argv = [process.execPath, SCRIPT];
  if (wanted.bufferBytes !== undefined) argv.push(String(wanted.bufferBytes));
  const child = wanted.inPidNamespace
    ? host.start(argv)
    : start(["nsenter", "--target", String(host.pid), "--net", "setpriv", "--pdeathsig", "KILL", ...argv], {
        env: ENVIRONMENT,
      });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("the watcher has no pipes");
  const said: Watched[] = [];
  let wrong = "";
  let wake = Promise.withResolvers<void>();
  stderr.setEncoding("utf8").on("data", (text: string) => (wrong += text));
  createInterface({ input: stdout }).on("line", (line) => {
    said.push(JSON.parse(line) as Watched);
    wake.resolve();
    wake = Promise.withResolvers();
  });
  const until: Watcher["until"] = async (isWanted, from = 0) => {
    const limit = Date.now() + DEADLINE_MS;
    for (;;) {
      const line = said.slice(from).find(isWanted);
      if (line !== undefined) return line;
      const left = limit - Date.now();
      if (left <= 0 || child.exitCode !== null)
        throw new Error(
          `the watcher did not say it: ${wrong}${JSON.stringify(said.slice(from)).slice(0, 4_000)}`,
        );
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(left, 500));
      await Promise.race([wake.promise, promise]);
      clearTimeout(timer);
    }
  };
  const ask: Watcher["ask"] = async (command, argument = "") => {
    const from = said.length;
    stdin.write(`${command} ${argument}\n`);
    await until(({ done }) => done === command, from);
  };
  let marks = 0;
  const pid = (await until(({ ready }) => ready !== undefined)).ready ?? 0;
  return {
    pid,
    said,
    until,
    ask,
    during: async (work) => {
      const from = said.length;
      await work();
      marks += 1;
      const mark = `mark${marks}`;
      await host.shell(`nft add table ip ${mark}`);
      const isMark = ({ change }: Watched) => change?.touched.some(({ table }) => table === mark) ?? false;
      await until(isMark, from);
      await host.shell(`nft delete table ip ${mark}`);
      const isGone = ({ change }: Watched) =>
        change?.touched.some(({ table, action }) => table === mark && action === "deleted") ?? false;
      await until(isGone, from);
      const end = said.findIndex((line, at) => at >= from && isMark(line));
      return said.slice(from, end).flatMap(({ change }) => change ?? []);
    },
    cpu: async () => {
      const from = said.length;
      await ask("cpu");
      const { cpu } = await until((line) => line.cpu !== undefined, from);
      if (cpu === undefined) throw new Error("no figure");
      return cpu;
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      stdin.end();
      await once(child, "close");
    },
  };
}

/** The one change that there is. */
export function only(changes: readonly RulesChange[]): RulesChange {
  const [change] = changes;
  assert.equal(changes.length, 1, JSON.stringify(changes));
  assert.ok(change !== undefined);
  return change;
}

/** What a change did, `new table inet seawall`, sorted. */
export function touchedBy(change: RulesChange | undefined): string[] {
  const lines = change?.touched.map(
    ({ action, what, family, table }) => `${action} ${what} ${family} ${table}`,
  );
  return (lines ?? []).toSorted();
}

export function tells(change: RulesChange | undefined, line: string): boolean {
  return touchedBy(change).includes(line);
}
