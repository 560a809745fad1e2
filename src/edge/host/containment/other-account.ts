/** Whether a user can log in as another one, by SSH keys or by changing what the other one runs at login. */
import type { OtherAccount } from "../../../core/containment/facts.ts";
import type { Account, Login, Machine } from "./machine.ts";
import { mayReplace } from "./permission.ts";
import type { Tree } from "./tree.ts";

/** LIMIT: users looked at, key files of one account, and keys of one file. */
const LOGINS_MAX = 1_000;
const KEY_FILES_MAX = 64;
const KEYS_MAX = 2_000;

/** What a login runs or trusts, below the home. */
const LOGIN_FILES = [".ssh/authorized_keys", ".ssh/authorized_keys2", ".profile", ".bashrc", ".bash_profile"];

/** Returns the other users that an account can become, each with what makes it possible. */
export function otherAccounts(machine: Machine, account: Account): OtherAccount[] {
  const { tree } = machine;
  const others = (machine.logins ?? [])
    .filter(
      ({ uid, shell, home }) =>
        uid !== account.uid && canLogIn(shell) && home.startsWith("/") && home !== "/",
    )
    .slice(0, LOGINS_MAX);
  const keys = ownKeys(tree, account);
  return others.flatMap((other) => [...byWriting(tree, account, other), ...byKey(tree, keys, other)]);
}

/** Whether a shell of passwd lets somebody in. */
export function canLogIn(shell: string): boolean {
  return !/\/(nologin|false|sync|halt|shutdown|git-shell)$/.test(shell);
}

function byWriting(tree: Tree, account: Account, { name, home }: Login): OtherAccount[] {
  // Without the home itself there is nobody to log in.
  if (tree.trail(home).found === null) return [];
  const file = LOGIN_FILES.map((one) => tree.trail(`${home}/${one}`)).find((trail) =>
    mayReplace(trail, account),
  );
  return file === undefined ? [] : [{ user: name, evidence: `it can change ${file.path}` }];
}

function byKey(tree: Tree, keys: ReadonlyMap<string, string>, { name, home }: Login): OtherAccount[] {
  if (keys.size === 0) return [];
  const accepted = LOGIN_FILES.slice(0, 2).flatMap((file) => keysIn(tree.text(`${home}/${file}`) ?? ""));
  const match = accepted.find((key) => keys.has(key));
  return match === undefined ? [] : [{ user: name, evidence: `it has the key ${keys.get(match) ?? ""}` }];
}

/** The public halves of the private keys in the account's own ~/.ssh, with the file of each. */
function ownKeys(tree: Tree, { login }: Account): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (login === null) return found;
  const folder = `${login.home}/.ssh`;
  const names = tree.names(folder).filter((name) => name !== "authorized_keys" && name !== "known_hosts");
  for (const name of names.slice(0, KEY_FILES_MAX)) {
    const path = `${folder}/${name}`;
    const text = tree.text(path) ?? "";
    const publicHalf = name.endsWith(".pub") ? undefined : publicKey(text, tree.text(`${path}.pub`));
    if (publicHalf !== undefined) found.set(publicHalf, path);
  }
  return found;
}

const OPENSSH_KEY = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;

/** An OpenSSH private key has its public half in clear (PROTOCOL.key); of other kinds the `.pub` beside it says. */
function publicKey(text: string, beside: string | undefined): string | undefined {
  const body = OPENSSH_KEY.exec(text)?.[1];
  if (body !== undefined) return publicHalfOf(Buffer.from(body, "base64"));
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return undefined;
  return keysIn(beside ?? "")[0];
}

const MAGIC = "openssh-key-v1\0";

/** magic, cipher, kdf, kdf options, number of keys, the first public key; strings have a length of four bytes. */
function publicHalfOf(bytes: Buffer): string | undefined {
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  let at = MAGIC.length;
  const next = (): Buffer | undefined => {
    if (at + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) return undefined;
    const piece = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return piece;
  };
  if (next() === undefined || next() === undefined || next() === undefined) return undefined;
  at += 4;
  return next()?.toString("base64");
}

/** The keys of an authorized_keys or .pub file, without options and comments (sshd(8)). */
function keysIn(text: string): string[] {
  return text
    .split("\n", KEYS_MAX)
    .flatMap(
      (line) =>
        /(?:^|\s)(?:ssh|ecdsa|sk-ssh|sk-ecdsa)[a-z0-9@.-]*\s+(AAAA[A-Za-z0-9+/=]+)/.exec(line)?.[1] ?? [],
    )
    .map((key) => Buffer.from(key, "base64").toString("base64"));
}
