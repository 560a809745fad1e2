/** Text of apt: its settings, its archives, what it would install (apt.conf(5), apt(8)). */
import type { AptArchive, PendingUpdate, UpdateFacts } from "../fact/update.ts";

/** Returns the settings of `apt-config dump`; the members of a list stand under the list's own name. */
export function parseAptConfig(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const match = /^(\S+) "(.*)";$/.exec(line);
    const [, key, value] = match ?? [];
    if (key === undefined || value === undefined) continue;
    const isMember = key.endsWith("::");
    const name = isMember ? key.slice(0, -2) : key;
    const values = settings.get(name) ?? [];
    if (isMember || value !== "") values.push(value);
    settings.set(name, values);
  }
  return settings;
}

/** Returns the archives that `apt-cache policy` names, without the packages that are installed. */
export function parseAptPolicy(text: string): AptArchive[] {
  const archives: AptArchive[] = [];
  let site = "";
  for (const line of text.split("\n")) {
    const source = /^ *-?\d+ (\S+) /.exec(line);
    if (source !== null) site = source[1] ?? "";
    const release = /^ +release (.+)$/.exec(line)?.[1];
    if (release === undefined || !/^[a-z]+:/.test(site)) continue;
    const fields: Record<"o" | "a" | "n" | "l" | "v" | "c", string> = {
      o: "",
      a: "",
      n: "",
      l: "",
      v: "",
      c: "",
    };
    // Values may hold commas (`l=Docker CE`): a new field starts after a comma with one letter and `=`.
    for (const part of release.split(/,(?=[a-z]=)/)) {
      const [key, value] = [part.slice(0, 1), part.slice(2)];
      if (key in fields) fields[key as keyof typeof fields] = value;
    }
    archives.push({ site, fields });
  }
  return unique(archives);
}

function unique(archives: readonly AptArchive[]): AptArchive[] {
  return [
    ...new Map(
      archives.map((archive) => [
        JSON.stringify([archive.fields.o, archive.fields.a, archive.fields.n, archive.fields.l]),
        archive,
      ]),
    ).values(),
  ];
}

/** `Debian-Security` of Debian, `-security` suites of Ubuntu and its ESM. */
export function isSecurityArchive({ fields }: AptArchive): boolean {
  return (
    /Debian-Security/i.test(fields.l) || fields.a.endsWith("-security") || fields.n.endsWith("-security")
  );
}

/**
 * Returns the updates of `apt list --upgradable`: `NAME/SUITE[,SUITE] VERSION ARCH [upgradable from: OLD]` lines. What is
 * held back is among them, because a hole in it is open all the same.
 */
export function parseUpgradable(text: string): PendingUpdate[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([^/\s]+)\/(\S+) (\S+) \S+ \[upgradable from: /.exec(line);
    const [, name, suites, to] = match ?? [];
    if (name === undefined || suites === undefined || to === undefined) return [];
    return [{ name, to, security: suites.split(",").some((suite) => suite.endsWith("-security")) }];
  });
}

/** Returns those archives from which unattended-upgrades would install. */
export function allowedArchives(updates: UpdateFacts, archives: readonly AptArchive[]): AptArchive[] {
  const patterns = [
    ...(updates.settings.get("Unattended-Upgrade::Origins-Pattern") ?? []).map(parsePattern),
    ...(updates.settings.get("Unattended-Upgrade::Allowed-Origins") ?? []).map(parseAllowed),
  ];
  return archives.filter((archive) => patterns.some((pattern) => matches(pattern, archive, updates)));
}

type Pattern = readonly (readonly [string, string])[];

/** `origin=Debian,codename=${distro_codename}-security`: every part must match, `*` stands for anything. */
function parsePattern(text: string): Pattern {
  return text.split(/(?<!\\),/).map((part) => {
    const at = part.indexOf("=");
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
  });
}

/** The older `origin:archive`, or `origin archive`. */
function parseAllowed(text: string): Pattern {
  const [origin = "", archive = ""] = text.includes(":") ? text.split(":") : text.split(" ");
  return [
    ["origin", origin],
    ["archive", archive],
  ];
}

const FIELD: Readonly<Record<string, keyof AptArchive["fields"]>> = {
  origin: "o",
  o: "o",
  archive: "a",
  suite: "a",
  a: "a",
  codename: "n",
  n: "n",
  label: "l",
  l: "l",
  component: "c",
  c: "c",
};

function matches(pattern: Pattern, archive: AptArchive, { release }: UpdateFacts): boolean {
  const expand = (text: string): string =>
    text
      .replaceAll("${distro_codename}", release.codename)
      .replaceAll("${distro_id}", release.id === "ubuntu" ? "Ubuntu" : "Debian");
  return (
    pattern.length > 0 &&
    pattern.every(([key, wanted]) => {
      if (key === "site")
        return wildcard(expand(wanted), archive.site.replace(/^[a-z]+:\/\//, "").split("/")[0] ?? "");
      const field = FIELD[key];
      return field !== undefined && wildcard(expand(wanted), archive.fields[field]);
    })
  );
}

function wildcard(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return pattern.includes("*") && new RegExp(`^${escaped}$`).test(text);
}

/**
 * Returns the last day of support from a table of distro-info-data (CSV with a header). For Debian the end of LTS
 * counts when there is one, because security updates come until then.
 */
export function supportEnd(csv: string, codename: string): string | null {
  const [header = "", ...rows] = csv.split("\n");
  const names = header.split(",");
  const row = rows
    .map((line) => line.split(","))
    .find((cells) => cells[names.indexOf("series")] === codename);
  const cell = (name: string): string => row?.[names.indexOf(name)] ?? "";
  const ends = [cell("eol-lts"), cell("eol-server"), cell("eol")].find((date) =>
    /^\d{4}-\d{2}-\d{2}$/.test(date),
  );
  return ends ?? null;
}
