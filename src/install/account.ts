/**
 * The user of the gates: no home, no shell, no password, in no group but its own.
 *
 * INVARIANT: its uid is the one that rules name while there is no such user, so that rules which are in force when
 * Seawall is installed go on meaning the gate; and its gid is the same number, which the gate takes on with it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { GATE_UID, GATE_USER } from "../core/compile/nftables/gate-user.ts";
import { runSync } from "../edge/host/command.ts";

const PLACES = ["/etc/passwd", "/etc/group"] as const;
const NO_HOME = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"];

function hasGateUser(root: string): boolean {
  return nameOfId(root, "/etc/passwd") === GATE_USER;
}

/** Refuses a machine where the number belongs to somebody else, or the name to another number. */
export function refuseOtherAccount(root: string): void {
  for (const file of PLACES) {
    const owner = nameOfId(root, file);
    const isFree = owner === undefined && !rowsOf(root, file).some(([name]) => name === GATE_USER);
    if (isFree || owner === GATE_USER) continue;
    throw new SeawallError(
      "SEAWALL_INSTALL",
      `\`${file}\`: ${GATE_USER} has to be number ${GATE_UID}, which is ${owner ?? "not its number there"}`,
      { still: "nothing was changed", help: `grep -E '${GATE_USER}|:${GATE_UID}:' ${PLACES.join(" ")}` },
    );
  }
}

/** Makes the user and its group below `root` unless they are there. */
export function makeGateUser(root: string): void {
  const id = String(GATE_UID);
  if (nameOfId(root, "/etc/group") === undefined) must(root, "groupadd", ["--gid", id]);
  if (!hasGateUser(root)) {
    must(root, "useradd", ["--uid", id, "--gid", id, ...NO_HOME, "--comment", "Seawall gate"]);
  }
}

/** Removes the user and its group below `root`, which own no file. Returns what was wrong, or null. */
export function removeGateUser(root: string): string | null {
  try {
    if (hasGateUser(root)) must(root, "userdel", []);
    if (nameOfId(root, "/etc/group") === GATE_USER) must(root, "groupdel", []);
    return null;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function nameOfId(root: string, file: (typeof PLACES)[number]): string | undefined {
  return rowsOf(root, file).find(([, , id]) => id === String(GATE_UID))?.[0];
}

function rowsOf(root: string, file: string): readonly (readonly string[])[] {
  try {
    return readFileSync(join(root, file), "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

function must(root: string, program: string, words: readonly string[]): void {
  const place = root === "/" ? [] : ["--prefix", root];
  const { status, stderr } = runSync(program, [...place, ...words, GATE_USER]);
  if (status === 0) return;
  throw new SeawallError("SEAWALL_INSTALL", `${program} ${GATE_USER}: ${stderr.trim() || `exit ${status}`}`, {
    still: "the program's files are in place, and no rule was changed",
    help: "ls -l /etc/passwd.lock /etc/.pwd.lock, then the same command again",
  });
}
