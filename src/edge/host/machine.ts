/** What this machine is, for a report: versions of what Seawall stands on, and the last words of its units. */
import { readFileSync } from "node:fs";
import { arch, release, totalmem, uptime } from "node:os";
import { findProgram, runSync } from "./command.ts";

/** LIMIT: lines of the journal that are read. */
const LINES_MAX = 300;
const DEADLINE_MS = 10_000;

/** Returns versions by name; null for what is not there. */
export function machineVersions(): Readonly<Record<string, string | null>> {
  return {
    kernel: release(),
    architecture: arch(),
    distribution: distribution(),
    node: process.version,
    nft: firstLine("nft", ["--version"]),
    systemd: firstLine("systemctl", ["--version"]),
    docker: firstLine("docker", ["--version"]),
    memoryMebibytes: String(Math.round(totalmem() / 1_048_576)),
    uptimeHours: String(Math.floor(uptime() / 3_600)),
  };
}

/** Returns the newest lines of our units in the journal, or null where there is no journal. */
export function journalLines(): string[] | null {
  if (findProgram("journalctl") === undefined) return null;
  const units = ["seawalld", "seawall-gate"].flatMap((unit) => ["--unit", unit]);
  const words = ["--lines", String(LINES_MAX), "--no-pager", "--output", "short-iso", "--quiet"];
  const text = output("journalctl", [...units, ...words]);
  return text === null ? null : text.split("\n").filter((line) => line !== "");
}

/** Returns the names of the people on this machine: accounts that are no service's. */
export function personNames(): string[] {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .flatMap(([name = "", , uid = "0"]) =>
        Number(uid) >= PERSON_UID_MIN && Number(uid) < NOBODY ? [name] : [],
      );
  } catch {
    return [];
  }
}

const PERSON_UID_MIN = 1_000;
const NOBODY = 65_534;

function distribution(): string | null {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? null;
  } catch {
    return null;
  }
}

function firstLine(program: string, words: readonly string[]): string | null {
  return findProgram(program) === undefined ? null : (output(program, words)?.split("\n")[0] ?? null);
}

function output(program: string, words: readonly string[]): string | null {
  try {
    const { status, stdout } = runSync(program, words, { deadlineMs: DEADLINE_MS });
    return status === 0 ? stdout : null;
  } catch {
    return null;
  }
}
