/** Units as `systemctl enable` leaves them, and systemd itself where it runs. */
import { existsSync } from "node:fs";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runSync } from "../edge/host/command.ts";
import { UNIT_FOLDER, UNITS } from "./payload.ts";
import type { TreeFile } from "./tree.ts";

export interface UnitLink {
  readonly path: string;
  readonly target: string;
}

/** LIMIT: how long systemd may take to start or stop a unit of ours. */
const SYSTEMD_DEADLINE_MS = 60_000;

/** Returns whether systemd is the first process of the machine (sd_booted(3)). */
export function isSystemdRunning(): boolean {
  return existsSync("/run/systemd/system");
}

/** Returns the links that enable our units: what their `WantedBy=` asks for. */
export function unitLinks(tree: readonly TreeFile[]): readonly UnitLink[] {
  return UNITS.flatMap((unit) => {
    const target = `${UNIT_FOLDER}/${unit}`;
    const file = tree.find(({ path }) => path === target);
    if (file === undefined || !("from" in file.content)) return [];
    const wanted = /^WantedBy=(.+)$/m.exec(readFileSync(file.content.from, "utf8"))?.[1] ?? "";
    return wanted
      .split(/\s+/)
      .filter((name) => name !== "")
      .map((name) => ({ path: join("/etc/systemd/system", `${name}.wants`, unit), target }));
  });
}

/** Runs systemctl and returns what it complained of, or null. */
export function systemctl(...words: readonly string[]): string | null {
  const { status, stderr } = runSync("systemctl", words, { deadlineMs: SYSTEMD_DEADLINE_MS });
  return status === 0 ? null : `systemctl ${words.join(" ")}: ${stderr.trim() || `exit ${status}`}`;
}
