/** The groups of a user, as passwd(5) and group(5) have them. */
import { readFileSync } from "node:fs";

/** Returns the numbers of all groups of a user; none for one who is not there. */
export function groupsOf(uid: number): ReadonlySet<number> {
  const accounts = rows("/etc/passwd").filter(([, , id]) => id === String(uid));
  const names = new Set(accounts.map(([name]) => name));
  const primary = accounts.flatMap(([, , , gid = ""]) => numberOf(gid));
  const others = rows("/etc/group").flatMap(([, , gid = "", members = ""]) =>
    members.split(",").some((member) => names.has(member)) ? numberOf(gid) : [],
  );
  return new Set([...primary, ...others]);
}

function numberOf(text: string): number[] {
  return /^\d{1,10}$/.test(text) ? [Number(text)] : [];
}

function rows(path: string): string[][] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
