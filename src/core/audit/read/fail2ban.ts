/** Text of fail2ban-client: a session of questions, and the configuration as it would be loaded. */

export interface Session {
  readonly pong: boolean;
  readonly jails: readonly string[];
  readonly logFiles: readonly string[];
  readonly banned: readonly string[];
  readonly ignored: readonly string[];
  readonly maxRetry: number;
  readonly findSeconds: number;
  readonly banSeconds: number;
  readonly increment: boolean;
  readonly actions: readonly string[];
  readonly journalMatch: string | null;
}

/** Returns the answers of `fail2ban-client -i` to the questions in their fixed order; a missing one reads as empty. */
export function parseSession(text: string): Session {
  const [
    ,
    pong = "",
    status = "",
    jail = "",
    ignored = "",
    maxRetry = "",
    find = "",
    ban = "",
    actions = "",
    journal = "",
    increment = "",
  ] = text.split("fail2ban> ");
  const list = (name: string, from: string): string[] =>
    (new RegExp(`${name}:[ \\t]*(.*)$`, "m").exec(from)?.[1] ?? "")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
  return {
    pong: pong.includes("pong"),
    jails: list("Jail list", status),
    logFiles: list("File list", jail),
    banned: list("Banned IP list", jail),
    ignored: ignored.startsWith("No ")
      ? []
      : [...ignored.matchAll(/^[|`]- (\S+)/gm)].map((match) => match[1] ?? ""),
    maxRetry: Number.parseInt(maxRetry, 10),
    findSeconds: Number.parseInt(find, 10),
    banSeconds: Number.parseInt(ban, 10),
    increment: /^(true|yes|on|1)/i.test(increment.trim()),
    actions: actions
      .split("\n")
      .slice(1)
      .join(" ")
      .split(/[\s,]+/)
      .filter((word) => word !== ""),
    journalMatch: journalOf(jail) ?? journalOf(journal),
  };
}

function journalOf(text: string): string | null {
  const match =
    /Journal matches?:[ \t]*\n?(.+)/i.exec(text)?.[1] ?? /^Current match filter:\s*\n?(.+)/im.exec(text)?.[1];
  return match === undefined ? null : match.trim();
}

export interface ConfiguredJail {
  readonly backend: string | null;
  readonly journalMatch: string | null;
  readonly ports: readonly string[];
  readonly allPorts: boolean;
}

/** Returns what `fail2ban-client -d` says about one jail: Python lists, a command a line. */
export function parseDump(text: string, jail: string): ConfiguredJail {
  const quoted = jail.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const backend = new RegExp(`^\\['add', '${quoted}', '([^']*)'\\]`, "m").exec(text)?.[1] ?? null;
  const match = new RegExp(`^\\['set', '${quoted}', 'addjournalmatch', (.*)\\]$`, "m").exec(text)?.[1];
  const actions = text.split("\n").filter((line) => line.startsWith(`['multi-set', '${jail}', 'action', `));
  const ports = actions.flatMap((line) =>
    [...line.matchAll(/\['port', '([^']*)'\]/g)].map((found) => found[1] ?? ""),
  );
  return {
    backend,
    journalMatch:
      match === undefined ? null : [...match.matchAll(/'([^']*)'/g)].map((found) => found[1] ?? "").join(" "),
    ports: [...new Set(ports)],
    allPorts: actions.some(
      (line) => /'(?:nftables|iptables)-allports'/.test(line) || /\['type', 'allports'\]/.test(line),
    ),
  };
}
