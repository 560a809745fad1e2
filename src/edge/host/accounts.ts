import { readFileSync } from "node:fs";

export interface SystemAccounts {
  readonly uidOf: (user: string) => number | undefined;
  /** Returns the user name of a uid, the first that passwd(5) has. */
  readonly nameOf: (uid: number) => string | undefined;
  readonly subuidsOf: (user: string | number) => readonly { readonly first: number; readonly last: number }[];
  /** Whether passwd names anybody at all: where it does not, that a user is missing says nothing. */
  readonly isKnown: boolean;
}

/** Returns the host's accounts as passwd(5) and subuid(5) have them. A missing or strange file knows nobody. */
export function readAccounts(): SystemAccounts {
  const uids = new Map<string, number>();
  for (const [user = "", , uid = ""] of rows("/etc/passwd")) {
    if (/^[0-9]{1,10}$/.test(uid)) uids.set(user, Number(uid));
  }
  const names = new Map([...uids].reverse().map(([user, uid]) => [uid, user]));
  const subuids = rows("/etc/subuid").flatMap(([owner = "", first = "", count = ""]) => {
    if (!/^[0-9]{1,10}$/.test(first) || !/^[1-9][0-9]{0,9}$/.test(count)) return [];
    return [{ owner, first: Number(first), last: Number(first) + Number(count) - 1 }];
  });
  return {
    uidOf: (user) => uids.get(user),
    nameOf: (uid) => names.get(uid),
    isKnown: uids.size > 0,
    subuidsOf: (user) => {
      const owners = new Set([
        String(user),
        String(typeof user === "number" ? names.get(user) : uids.get(user)),
      ]);
      return subuids.filter(({ owner }) => owners.has(owner)).map(({ first, last }) => ({ first, last }));
    },
  };
}

function rows(path: string): string[][] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
