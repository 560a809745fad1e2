/** Accounts of the host: passwd(5), group(5), shadow(5). */
import type { Account } from "../../core/audit/fact/listener.ts";
import { type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { readText, textOf } from "./file.ts";

export function readAccounts(): Reading<readonly Account[]> {
  const passwd = rows(textOf("/etc/passwd"));
  if (passwd.length === 0) return unreadable("/etc/passwd cannot be read", "run as root");
  const groups = rows(textOf("/etc/group")).map(([name = "", , gid = "", members = ""]) => ({
    name,
    gid: Number(gid),
    members: members.split(","),
  }));
  const shadow = readText("/etc/shadow", { follow: true });
  const secrets = new Map(
    shadow.kind === "text" ? rows(shadow.text).map(([name = "", secret = ""]) => [name, secret]) : [],
  );
  return read(
    passwd.map(([name = "", inPasswd = "", uid = "", gid = "", , home = "", shell = ""]) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      home,
      shell,
      groups: groups
        .filter((group) => group.gid === Number(gid) || group.members.includes(name))
        .map((group) => group.name),
      password: passwordOf(inPasswd, secrets.get(name), shadow.kind === "text"),
    })),
  );
}

function passwordOf(inPasswd: string, secret: string | undefined, seen: boolean): Account["password"] {
  if (inPasswd === "") return "empty";
  if (inPasswd !== "x") return /^[!*]/.test(inPasswd) ? "locked" : "set";
  if (!seen) return null;
  if (secret === undefined) return "locked";
  if (secret === "") return "empty";
  return /^[!*]/.test(secret) ? "locked" : "set";
}

/** Returns the names of groups by number. */
export function groupNames(): ReadonlyMap<number, string> {
  return new Map(rows(textOf("/etc/group")).map(([name = "", , gid = ""]) => [Number(gid), name]));
}

function rows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
