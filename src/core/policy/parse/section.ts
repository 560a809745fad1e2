import type { Diagnostic } from "../../base/diagnostic.ts";
import { VERSION } from "../../base/version.ts";
import type { Defaults, Mode, PolicyDocument, ScopeEntry, ScopeTarget, ZoneEntry } from "../document.ts";
import { type MapEntry, type MapNode, type Node, shown } from "./node.ts";
import {
  CONTAINER_DEFAULTS,
  DEFAULTS_KEYS,
  DENIALS,
  DIRECTIONS,
  DOCKER_NAME_PATTERN,
  GATE_PLACE,
  INTERFACE_PATTERN,
  MODES,
  NAME_PATTERN,
  PLACE_PATTERN,
  POLICY_VERSION,
  REQUIRABLE_KEYS,
  SCOPE_KINDS,
  WORLD_ZONE,
} from "./vocabulary.ts";
import { fail, fieldsOf, mapOf, oneOrMore, termText, textOf, type Walk, wordOf, wrongType } from "./walk.ts";

/** Reports a version that is missing or not 1. `what` reads "the policy". */
export function readVersion(walk: Walk, root: MapNode, what: string): void {
  const entry = root.entries.find(({ key }) => key === "version");
  if (entry === undefined) {
    const help = `begin the file with \`version: ${POLICY_VERSION}\`; \`seawall policy migrate\` writes it there`;
    fail(walk, "missing-key", root.span, `${what} has no \`version\``, help);
    return;
  }
  const problem = versionProblem(entry.value, POLICY_VERSION);
  if (problem !== null) walk.diagnostics.push(problem);
}

/** Returns what is wrong with a version for a reader of versions up to `known`; null when nothing is. */
export function versionProblem(value: Node, known: number): Diagnostic | null {
  const walk: Walk = { diagnostics: [], nowMs: 0 };
  if (value.kind !== "scalar" || value.type !== "number") {
    wrongType(walk, value, `\`version\` must be the number ${known}`);
  } else if (/^[0-9]{1,6}$/.test(value.text) && Number(value.text) > known) {
    const message = `version ${shown(value.text)} was written for a later Seawall; this one, ${VERSION}, reads version ${known}`;
    const help = "upgrade Seawall, or use the copy of the file from before; nothing was changed";
    fail(walk, "version", value.span, message, help);
  } else if (value.text !== String(known)) {
    const help = `Seawall ${VERSION} reads \`version: ${known}\``;
    fail(walk, "version", value.span, `version ${shown(value.text)} is not known`, help);
  }
  return walk.diagnostics[0] ?? null;
}

/** Returns the mode per direction; absent means enforce. */
export function readMode(walk: Walk, entry: MapEntry | undefined): PolicyDocument["mode"] {
  if (entry === undefined) return { inbound: "enforce", outbound: "enforce" };
  const { value } = entry;
  if (value.kind !== "map") {
    const both = wordOf(walk, value, "`mode`", MODES) ?? "enforce";
    return { inbound: both, outbound: both };
  }
  const fields = fieldsOf(walk, value, "`mode`", DIRECTIONS);
  const modeOf = (direction: "inbound" | "outbound"): Mode => {
    const given = fields?.get(direction);
    return given === undefined ? "enforce" : (wordOf(walk, given.value, "`mode`", MODES) ?? "enforce");
  };
  return { inbound: modeOf("inbound"), outbound: modeOf("outbound") };
}

/** Returns the entries of `defaults:`, or what holds without it. */
export function readDefaults(walk: Walk, entry: MapEntry | undefined): Defaults {
  const fields = entry === undefined ? null : fieldsOf(walk, entry.value, "`defaults`", DEFAULTS_KEYS);
  const word = <const Word extends string>(
    key: (typeof DEFAULTS_KEYS)[number],
    words: readonly Word[],
    otherwise: Word,
  ): Word => {
    const given = fields?.get(key);
    if (given === undefined) return otherwise;
    return wordOf(walk, given.value, `\`defaults.${key}\``, words) ?? otherwise;
  };
  const required = fields?.get("require");
  const requireWords =
    required === undefined
      ? []
      : oneOrMore(walk, required.value, "`defaults.require`").map((item) =>
          wordOf(walk, item, "`defaults.require`", REQUIRABLE_KEYS),
        );
  return {
    inbound: word("inbound", DENIALS, "refuse"),
    outbound: word("outbound", DENIALS, "refuse"),
    containers: word("containers", CONTAINER_DEFAULTS, "deny"),
    requireOwner: requireWords.includes("owner"),
  };
}

/** Reports a name of a set that is none. */
export function checkName(walk: Walk, entry: MapEntry, what: string): boolean {
  if (NAME_PATTERN.test(entry.key)) return true;
  const help = "1 to 32 letters, digits, `-` and `_`, beginning with a letter";
  fail(walk, "name-of", entry.keySpan, `${shown(entry.key)} is not a name for ${what}`, help);
  return false;
}

/** Reports a name of a zone or scope that is none. */
function checkPlace(walk: Walk, entry: MapEntry, what: string): boolean {
  if (PLACE_PATTERN.test(entry.key)) return true;
  const help = "1 to 24 lower-case letters, digits, `-` and `_`, beginning with a letter";
  fail(walk, "name-of", entry.keySpan, `${shown(entry.key)} is not a name for ${what}`, help);
  return false;
}

/** Returns the entries of `scopes:`. */
export function readScopes(walk: Walk, entry: MapEntry | undefined): ScopeEntry[] {
  const map = entry === undefined ? null : mapOf(walk, entry.value, "`scopes`");
  const scopes: ScopeEntry[] = [];
  for (const scope of map?.entries ?? []) {
    const named = checkPlace(walk, scope, "a scope");
    const target = readScopeTarget(walk, scope.value);
    const isTaken = scope.key === GATE_PLACE;
    if (isTaken)
      fail(walk, "scope", scope.keySpan, `${shown(scope.key)} is the name of the gates themselves`);
    if (named && !isTaken && target !== null) scopes.push({ name: scope.key, target, span: scope.keySpan });
  }
  return scopes;
}

function readScopeTarget(walk: Walk, node: Node): ScopeTarget | null {
  const fields = fieldsOf(walk, node, "a scope", SCOPE_KINDS);
  if (fields === null) return null;
  const [kind, ...others] = SCOPE_KINDS.filter((key) => fields.has(key));
  const entry = kind === undefined ? undefined : fields.get(kind);
  if (kind === undefined || entry === undefined) {
    const help = "for example `agent: {user: openclaw}`";
    fail(
      walk,
      "missing-key",
      fields.span,
      "a scope needs `user`, `unit`, `cgroup`, `docker` or `netns`",
      help,
    );
    return null;
  }
  for (const other of others) {
    const span = fields.get(other)?.keySpan ?? fields.span;
    fail(walk, "conflict", span, `a scope has \`${kind}\` or \`${other}\`, not both`, "make it two scopes");
  }
  if (kind === "user") return readUser(walk, entry.value);
  const text = textOf(walk, entry.value, `\`${kind}\``);
  if (text === null) return null;
  if (!SCOPE_PATTERNS[kind].test(text) || /(?:^|\/)\.\.(?:\/|$)/.test(text)) {
    fail(walk, "scope", entry.value.span, `${shown(text)} is not a ${SCOPE_WORDS[kind]}`);
    return null;
  }
  return others.length > 0 ? null : scopeTarget(kind, text);
}

const SCOPE_PATTERNS = {
  unit: /^[A-Za-z0-9:_.\\@-]{1,255}$/,
  cgroup: /^\/?[^/\p{Cc}\s][^\p{Cc}]{0,1023}$/u,
  docker: DOCKER_NAME_PATTERN,
  netns: /^[A-Za-z0-9_.-]{1,255}$/,
} as const;

const SCOPE_WORDS = {
  unit: "systemd unit name",
  cgroup: "cgroup path",
  docker: "Docker network name",
  netns: "network namespace name",
} as const;

function scopeTarget(kind: "unit" | "cgroup" | "docker" | "netns", text: string): ScopeTarget {
  switch (kind) {
    case "unit":
      return { kind, unit: text };
    case "cgroup":
      return { kind, path: text };
    case "docker":
      return { kind, network: text };
    case "netns":
      return { kind, name: text };
  }
}

const UID_MAX = 4_294_967_294;

function readUser(walk: Walk, node: Node): ScopeTarget | null {
  const text = termText(walk, node, "`user` must be a user name or a uid");
  if (text === null) return null;
  if (/^(?:0|[1-9][0-9]{0,9})$/.test(text) && Number(text) <= UID_MAX) {
    return { kind: "user", user: Number(text) };
  }
  if (/^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/.test(text)) return { kind: "user", user: text };
  fail(walk, "scope", node.span, `${shown(text)} is neither a user name nor a uid`);
  return null;
}

/** Returns the entries of `zones:`; an interface belongs to one zone only. */
export function readZones(walk: Walk, entry: MapEntry | undefined): ZoneEntry[] {
  const map = entry === undefined ? null : mapOf(walk, entry.value, "`zones`");
  const zones: ZoneEntry[] = [];
  const claimed: { pattern: string; zone: string }[] = [];
  for (const zone of map?.entries ?? []) {
    const named = checkPlace(walk, zone, "a zone");
    if (zone.key === WORLD_ZONE) {
      const help = "name the interfaces you trust more instead; the rest stays `world`";
      fail(walk, "zone", zone.keySpan, "`world` is every interface not named otherwise", help);
    }
    const interfaces = readInterfaces(walk, zone.value);
    claimInterfaces(walk, zone, interfaces, claimed);
    if (named && zone.key !== WORLD_ZONE && interfaces.length > 0) {
      zones.push({ name: zone.key, interfaces, span: zone.keySpan });
    }
  }
  return zones;
}

function claimInterfaces(
  walk: Walk,
  zone: MapEntry,
  interfaces: readonly string[],
  claimed: { pattern: string; zone: string }[],
): void {
  for (const pattern of interfaces) {
    const other = claimed.find((claim) => claim.zone !== zone.key && overlap(claim.pattern, pattern));
    if (other !== undefined) {
      const message = `${shown(pattern)} is in the zones \`${other.zone}\` and ${shown(zone.key)}`;
      fail(walk, "zone", zone.value.span, message, "an interface belongs to one zone");
    }
    claimed.push({ pattern, zone: zone.key });
  }
}

function overlap(left: string, right: string): boolean {
  const [leftStem, rightStem] = [left.replace(/\*$/, ""), right.replace(/\*$/, "")];
  if (left.endsWith("*") && right.endsWith("*")) {
    return leftStem.startsWith(rightStem) || rightStem.startsWith(leftStem);
  }
  if (left.endsWith("*")) return right.startsWith(leftStem);
  return right.endsWith("*") ? left.startsWith(rightStem) : left === right;
}

function readInterfaces(walk: Walk, node: Node): string[] {
  const value =
    node.kind === "map" ? fieldsOf(walk, node, "a zone", ["interfaces"])?.get("interfaces")?.value : node;
  if (value === undefined) {
    fail(walk, "missing-key", node.span, "the zone has no `interfaces`", "for example `lan: eth1`");
    return [];
  }
  const interfaces: string[] = [];
  for (const item of oneOrMore(walk, value, "the interfaces of a zone")) {
    const text = textOf(walk, item, "an interface");
    if (text === null) continue;
    if (text === "lo") fail(walk, "interface", item.span, "`lo` is this host itself and belongs to no zone");
    else if (INTERFACE_PATTERN.test(text) && text !== "." && text !== "..") interfaces.push(text);
    else {
      const help = "1 to 15 of A-Z, a-z, 0-9, `.`, `_`, `-`; one `*` may end it: `wg*`";
      fail(walk, "interface", item.span, `${shown(text)} is not an interface name`, help);
    }
  }
  return interfaces;
}
