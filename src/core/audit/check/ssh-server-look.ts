/** What is looked for in the settings, keys and files of sshd. */
import { modeText } from "../fact/file.ts";
import type { SshFacts, SshHostKey } from "../fact/ssh.ts";
import { parseSshdFile } from "../read/sshd.ts";
import { valueOf } from "./ssh-option.ts";

export function portLines(ssh: SshFacts): string[] {
  return ssh.files.flatMap((file) =>
    parseSshdFile(file.text)
      .filter(({ keyword }) => keyword === "port")
      .map(({ line, value }) => `Port ${value} (${file.path}:${line})`),
  );
}

/** RFC 9142 (kex), RFC 8758 (RC4), and what ssh-audit marks as failing. */
const WEAK: readonly (readonly [string, RegExp])[] = [
  ["kexalgorithms", /sha1$|-group1-|^diffie-hellman-group14-sha256$/],
  ["ciphers", /-cbc|^3des|arcfour|blowfish|cast128/],
  ["macs", /^hmac-sha1|^hmac-md5|^umac-64/],
];

export function weakAlgorithms(ssh: SshFacts): string[] {
  const [context] = ssh.contexts;
  if (context === undefined) return [];
  return WEAK.flatMap(([option, weak]) => {
    const found = (valueOf(context, option) ?? "").split(",").filter((name) => weak.test(name));
    return found.length === 0 ? [] : [`${option}: ${found.join(", ")}`];
  });
}

const RSA_BITS_MIN = 3072;

export function hostKeyProblems(key: SshHostKey): string[] {
  const problems: string[] = [];
  // Group `ssh_keys` may read on some systems; nobody else may, and nobody but root may write.
  if ((key.mode & 0o037) !== 0 || key.uid !== 0)
    problems.push(`${key.path}: ${modeText(key.mode)}, owner ${key.uid}`);
  if (key.type === "DSA") problems.push(`${key.path}: DSA`);
  if (key.type === "RSA" && (key.bits ?? 0) < RSA_BITS_MIN)
    problems.push(`${key.path}: RSA with ${key.bits ?? "?"} bits`);
  return problems;
}

const ACCUMULATES = new Set([
  "port",
  "listenaddress",
  "allowusers",
  "allowgroups",
  "denyusers",
  "denygroups",
  "hostkey",
  "acceptenv",
  "setenv",
  "subsystem",
  "include",
  "match",
]);

/** Values that a drop-in gives outside any Match and that sshd does not use. */
export function overruled(ssh: SshFacts): string[] {
  const [context] = ssh.contexts;
  if (context === undefined) return [];
  return ssh.files.flatMap((file) => {
    if (!ssh.dropIns.includes(file.path)) return [];
    const directives = parseSshdFile(file.text);
    const match = directives.findIndex(({ keyword }) => keyword === "match");
    const global = match === -1 ? directives : directives.slice(0, match);
    return global.flatMap(({ keyword, value, line }) => {
      const effective = valueOf(context, keyword);
      if (ACCUMULATES.has(keyword) || effective === undefined || !/^(yes|no|\d+)$/.test(value.toLowerCase()))
        return [];
      if (effective === value.toLowerCase()) return [];
      return [`${keyword} ${value} (${file.path}:${line}) is not in force: sshd uses ${effective}`];
    });
  });
}
