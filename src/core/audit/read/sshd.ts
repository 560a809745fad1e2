/** Text of sshd: its effective options and its configuration files (sshd_config(5)). */

/** Returns the options of `sshd -T`, a keyword a line in lower case, in their order. */
export function parseSshdOptions(text: string): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [keyword = "", ...rest] = line.trim().split(" ");
    if (keyword === "") continue;
    const values = options.get(keyword) ?? [];
    values.push(rest.join(" "));
    options.set(keyword, values);
  }
  return options;
}

export interface SshdDirective {
  /** From 1. */
  readonly line: number;
  /** In lower case. */
  readonly keyword: string;
  readonly value: string;
}

/** Returns the directives of one file. A keyword ends at white space or `=`; `#` starts a comment line. */
export function parseSshdFile(text: string): SshdDirective[] {
  return text.split("\n").flatMap((raw, index) => {
    const match = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(raw);
    const [, keyword, value] = match ?? [];
    if (keyword === undefined || value === undefined) return [];
    return [{ line: index + 1, keyword: keyword.toLowerCase(), value: value.replace(/^"(.*)"$/, "$1") }];
  });
}

/** Returns the arguments with which the listener was started, from its process title, without the program. */
export function parseSshdTitle(title: string): readonly string[] | undefined {
  const match = /^sshd: (\S*sshd)((?: \S+)*) \[listener\]/.exec(title);
  return match?.[2]?.split(" ").filter((word) => word !== "");
}

/** Returns those arguments that decide which configuration holds: -f, -o, -p, -h, -C aside. */
export function sshdConfigArguments(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (!/^-[foph]/.test(word)) continue;
    kept.push(word);
    if (word.length === 2 && args[at + 1] !== undefined) kept.push(args[(at += 1)] ?? "");
  }
  return kept;
}

/** Returns type and size from one line of `ssh-keygen -l`: `256 SHA256:... comment (ED25519)`. */
export function parseKeyLine(line: string): { readonly bits: number; readonly type: string } | undefined {
  const match = /^(\d+) \S+ .*\(([A-Za-z0-9-]+)\)\s*$/.exec(line.trim());
  return match === null ? undefined : { bits: Number(match[1]), type: (match[2] ?? "").toUpperCase() };
}

const KEY_TYPE = /^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9-]+@openssh\.com)$/;

export interface AuthorizedKey {
  readonly type: string;
  /** What stands before the type, as it is written: `from="10.0.0.1",no-pty`; "" without. */
  readonly options: string;
}

/** Returns the keys of an authorized_keys file (sshd(8)). */
export function parseAuthorizedKeys(text: string): AuthorizedKey[] {
  return text.split("\n").flatMap((raw) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return [];
    // Options may hold quoted blanks; the type is the first bare word that is one and has a key behind it.
    const words = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').split(/\s+/);
    const at = words.findIndex((word) => KEY_TYPE.test(word));
    const type = words[at];
    if (type === undefined || !/^AAAA[0-9A-Za-z+/]+=*$/.test(words[at + 1] ?? "")) return [];
    const options = /^((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s/.exec(line)?.[1] ?? "";
    return [{ type, options: at === 0 ? "" : options }];
  });
}
