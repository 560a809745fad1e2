/** The accounts of the host as far as a ruleset needs them: passwd, and the subordinate uids of each user. */
export interface Accounts {
  /** Returns the uid of a user name, or undefined. */
  readonly uidOf: (user: string) => number | undefined;
  /** Returns the subordinate uid ranges (subuid(5)) of a user. */
  readonly subuidsOf: (user: string | number) => readonly { readonly first: number; readonly last: number }[];
}

export interface UidRange {
  readonly first: number;
  readonly last: number;
}

/** Returns the uids of a user scope, or undefined when the user does not exist. */
export function uidRanges(user: string | number, accounts: Accounts): UidRange[] | undefined {
  const uid = typeof user === "number" ? user : accounts.uidOf(user);
  if (uid === undefined) return undefined;
  return [{ first: uid, last: uid }, ...accounts.subuidsOf(user)];
}
