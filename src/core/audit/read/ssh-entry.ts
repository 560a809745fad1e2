/** Whom sshd lets in, by the words of its options: Allow and Deny lists, and what stands before a key (sshd(8)). */
import { parseIp } from "../../net/ip.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { containsIp, prefixSetOf } from "../../net/prefix-set.ts";
import type { SshContext } from "../fact/ssh.ts";

/** Who wants in, and from where: the addresses from which somebody is logged in now. */
export interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
  readonly addresses: readonly string[];
}

/** Returns why sshd would not take a key of this account at all, or null. */
export function entryProblem(context: SshContext, caller: Caller): string | null {
  const words = (option: string): string[] =>
    (context.options.get(option) ?? [])
      .join(" ")
      .split(/\s+/)
      .filter((word) => word !== "" && word !== "none");
  if (context.options.get("pubkeyauthentication")?.[0] === "no") return "PubkeyAuthentication is no";
  const methods = words("authenticationmethods").filter((list) => list !== "any");
  if (methods.length > 0 && !methods.includes("publickey"))
    return `AuthenticationMethods asks for more than a key: ${methods.join(" ")}`;
  if (words("denyusers").some((pattern) => isUser(pattern, caller))) return "DenyUsers names it";
  const allowed = words("allowusers");
  if (allowed.length > 0 && !namesUser(allowed, caller)) return "AllowUsers does not name it";
  if (words("denygroups").some((pattern) => caller.groups.some((group) => isLike(pattern, group))))
    return "DenyGroups names a group of it";
  const groups = words("allowgroups");
  if (groups.length > 0 && !groups.some((pattern) => caller.groups.some((group) => isLike(pattern, group))))
    return "AllowGroups names no group of it";
  return null;
}

/** Returns why a key with these options gives no shell to somebody who calls from there, or null. */
export function keyProblem(options: string, addresses: readonly string[], nowMs: number): string | null {
  const value = (name: string): string | undefined =>
    new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(options)?.[1];
  const command = value("command");
  if (command !== undefined) return `it runs a command in place of a shell: ${command.slice(0, 60)}`;
  if (/(?:^|,)cert-authority(?:,|$)/i.test(options)) return "it is an authority for certificates, not a key";
  const expiry = value("expiry-time");
  if (expiry !== undefined && expiryMs(expiry) < nowMs) return `it expired (${expiry})`;
  const from = value("from");
  if (from !== undefined && !addresses.some((address) => isFrom(from.split(","), address)))
    return `it is taken from ${from} only, and nobody is logged in from there`;
  return null;
}

/** `YYYYMMDD[HHMM[SS]]`. Its zone is the host's own, which may be some hours off: a key of today is no proof anyway. */
function expiryMs(text: string): number {
  const [, year, month, day, hour = "00", minute = "00"] =
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d))?/.exec(text) ?? [];
  return year === undefined ? 0 : Date.parse(`${year}-${month ?? ""}-${day ?? ""}T${hour}:${minute}:00Z`);
}

function namesUser(patterns: readonly string[], caller: Caller): boolean {
  if (patterns.some((pattern) => pattern.startsWith("!") && isUser(pattern.slice(1), caller))) return false;
  return patterns.some((pattern) => isUser(pattern, caller));
}

/** `ann`, `a*`, `ann@10.0.0.0/8`: with a place, only who is logged in from there is meant. */
function isUser(pattern: string, { name, addresses }: Caller): boolean {
  const [user = "", place] = pattern.split("@");
  return isLike(user, name) && (place === undefined || addresses.some((address) => isFrom([place], address)));
}

function isFrom(patterns: readonly string[], address: string): boolean {
  if (patterns.some((pattern) => pattern.startsWith("!") && isPlace(pattern.slice(1), address))) return false;
  return patterns.some((pattern) => isPlace(pattern, address));
}

function isPlace(pattern: string, address: string): boolean {
  const ip = parseIp(address);
  const parsed = pattern.includes("/") ? parsePrefix(pattern) : undefined;
  if (parsed !== undefined)
    return parsed.ok && ip !== undefined && containsIp(prefixSetOf([parsed.prefix]), ip);
  return isLike(pattern, address);
}

/** ssh_config(5) PATTERNS: `*` and `?`. */
function isLike(pattern: string, text: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "i").test(text);
}
