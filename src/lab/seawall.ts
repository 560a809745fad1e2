/** The real Seawall of the lab's host: its command line, its daemon and what they recorded. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SeawallError } from "../core/base/error.ts";
import { type CommandResult, runSync, start } from "../edge/host/command.ts";
import { UPSTREAM } from "./address.ts";
import { moduleFile } from "./place.ts";

/** One line of `seawall flows --json`, as far as the lab reads it. */
export interface LoggedFlow {
  readonly direction: string;
  readonly verdict: string;
  readonly observed: boolean;
  readonly rule: string | null;
  readonly reason: string;
  readonly protocol: string;
  readonly source: string;
  readonly sourcePort: number | null;
  readonly destination: string;
  readonly destinationPort: number | null;
}

/** A line about a name, as a gate tells it. */
export interface NamedFlow extends LoggedFlow {
  readonly host: string | null;
}

export interface LabStatus {
  readonly state: string;
  readonly generation: number | null;
  readonly confirmBy: string | null;
  readonly changes: { readonly last: { readonly by: string | null } | null } | null;
}

export interface Daemon {
  readonly pid: number;
  /** Ends it by SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Holds it (SIGSTOP), and lets it go on (SIGCONT). */
  readonly hold: () => void;
  readonly release: () => void;
}

const ROOT = "/run/lab";
const ENVIRONMENT = {
  SEAWALL_STATE_DIR: `${ROOT}/state`,
  SEAWALL_RUN_DIR: `${ROOT}/run`,
  SEAWALL_CONFIG_DIR: `${ROOT}/config`,
  HOME: ROOT,
};
const COMMAND_DEADLINE_MS = 20_000;
const DAEMON_DEADLINE_MS = 10_000;
const CLI = "cli/main";
const GATE_END_MS_MAX = 10_000;
const GATE_STEP_MS = 10;

/** Runs `seawall WORDS` and returns how it ended. */
export function seawall(...words: readonly string[]): CommandResult {
  return runSync(process.execPath, [moduleFile(`../${CLI}`), ...words], {
    env: ENVIRONMENT,
    deadlineMs: COMMAND_DEADLINE_MS,
  });
}

/** Runs `seawall WORDS`, which must succeed, and returns its output. */
export function seawallOk(...words: readonly string[]): string {
  const result = seawall(...words);
  if (result.status === 0) return result.stdout;
  throw new SeawallError(
    "SEAWALL_LAB",
    `\`seawall ${words.join(" ")}\` failed in the lab: ${result.stderr.trim()}`,
  );
}

/** Writes a policy file of the lab's host and returns its path. */
export function policyFile(name: string, text: string): string {
  mkdirSync(ENVIRONMENT.SEAWALL_CONFIG_DIR, { recursive: true });
  const path = `${ENVIRONMENT.SEAWALL_CONFIG_DIR}/${name}.yaml`;
  writeFileSync(path, text);
  return path;
}

/** Takes a policy file away again. */
export function removePolicyFile(name: string): void {
  rmSync(`${ENVIRONMENT.SEAWALL_CONFIG_DIR}/${name}.yaml`);
}

/** Runs a script of the way back or of the start, with nothing of Node in reach; returns its exit code. */
export function runShipped(script: "boot.sh" | "rescue.sh"): number | null {
  const places = [`../../share/boot/${script}`, `../../${script}`];
  const path =
    places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync) ?? script;
  const { SEAWALL_STATE_DIR } = ENVIRONMENT;
  return runSync("/bin/sh", [path], { env: { SEAWALL_STATE_DIR, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } })
    .status;
}

/** Deletes our table as somebody else would, or as a start does. */
export function takeTableAway(): void {
  nft("delete", "table", "inet", "seawall");
}

export function status(): LabStatus {
  return JSON.parse(seawallOk("status", "--json")) as LabStatus;
}

/** Returns the lines about names. */
export function namedFlows(): NamedFlow[] {
  return (flows() as NamedFlow[]).filter(({ host }) => host !== null);
}

/** Returns everything that the daemon recorded so far. */
export function flows(): LoggedFlow[] {
  return seawallOk("flows", "--json", "--limit", "100000")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LoggedFlow);
}

/** Starts `seawall daemon`; returns once it reads the kernel's log. */
export async function startDaemon(): Promise<Daemon> {
  const child = start(
    process.execPath,
    [moduleFile(`../${CLI}`), "daemon", "--upstream", `${UPSTREAM.address}:${UPSTREAM.port}`],
    ["ignore", "ignore", "pipe"],
    ENVIRONMENT,
  );
  // Not "close": the gate holds the same stderr and lives on for a minute.
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const failed = (): void =>
      reject(new SeawallError("SEAWALL_LAB", `the daemon did not start: ${said.trim()}`));
    const timer = setTimeout(failed, DAEMON_DEADLINE_MS);
    child.once("close", failed);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4_000);
      if (!said.includes("reading the kernel's log")) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    pid: child.pid ?? 0,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    hold: () => void child.kill("SIGSTOP"),
    release: () => void child.kill("SIGCONT"),
  };
}

/** Returns the processes of Seawall that run in the lab's world now. */
export function seawallProcesses(): number[] {
  const main = moduleFile(`../${CLI}`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLine(pid).includes(main))
    .map(Number);
}

/** Ends the gate by SIGKILL; resolves when no process of it is left that could take anything. */
export async function killGate(): Promise<void> {
  const gates = seawallProcesses().filter((pid) => commandLine(String(pid)).includes("\0gate\0"));
  for (const pid of gates) process.kill(pid, "SIGKILL");
  // A killed process has no command line any more, also where its parent was stopped and cannot reap it.
  for (let waited = 0; waited < GATE_END_MS_MAX; waited += GATE_STEP_MS) {
    if (gates.every((pid) => commandLine(String(pid)) === "")) return;
    await sleep(GATE_STEP_MS);
  }
  throw new SeawallError("SEAWALL_LAB", "the gate of the lab outlived its kill");
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Returns every table of others as the kernel lists it. */
export function foreignTables(): string {
  return tableNames()
    .filter((name) => name !== "inet seawall")
    .map((name) => nft("list", "table", ...name.split(" ")))
    .join("");
}

/** Returns `family name` of every table. */
export function tableNames(): string[] {
  return nft("list", "tables")
    .split("\n")
    .flatMap((line) => /^table (\S+ \S+)$/.exec(line)?.[1] ?? []);
}

/** Returns the packets that a counter of ours has counted. */
export function counted(name: string): number {
  const text = nft("list", "counter", "inet", "seawall", name);
  return Number(/packets (\d+)/.exec(text)?.[1] ?? Number.NaN);
}

function nft(...words: readonly string[]): string {
  const result = runSync(
    "nft",
    ["-s", ...words].filter((word) => word !== "-s" || words[1] !== "counter"),
  );
  return result.status === 0 ? result.stdout : "";
}
