import { comparePlaces, type Diagnostic, FILE_START, hasError, type Span } from "../../base/diagnostic.ts";
import type { DropIn, PolicyDocument, PolicyParse } from "../document.ts";
import { checkMerged, mergeFiles, type ReadDropIn } from "../merge.ts";
import { readAcceptedRisks } from "./accept-risk.ts";
import { acceptedRisksOf } from "./accepted.ts";
import { type InboundDraft, readInboundRule } from "./inbound.ts";
import type { Names } from "./names.ts";
import { describeNode, type MapEntry, type MapNode, type Node, shown } from "./node.ts";
import { type OutboundDraft, readOutboundRule } from "./outbound.ts";
import { placeIn } from "./position.ts";
import { readAsserts, readTests } from "./proof.ts";
import { nameRules } from "./rule-id.ts";
import { readDefaults, readMode, readScopes, readVersion, readZones } from "./section.ts";
import { readSets } from "./set.ts";
import { KEYS_RENAMED, LIST_HELP, POLICY_BYTES_MAX, ROOT_KEYS, RULES_MAX } from "./vocabulary.ts";
import { type Fields, fail, fieldsOf, listOf, mapOf, type Walk } from "./walk.ts";
import { readYaml, type YamlRead } from "./yaml.ts";

export interface ParseOptions {
  /** The present, in Unix milliseconds: what has expired is judged by it. */
  readonly nowMs: number;
  /** The presets that exist; without it every well-formed name is taken. */
  readonly presets?: ReadonlySet<string>;
  /** The files of policy.d in their order; they add to the policy. */
  readonly dropIns?: readonly DropIn[];
}

const DIAGNOSTICS_MAX = 1_000;

/**
 * Reads a policy file with its drop-ins: everything wrong with it at once, each with its place, and the
 * document unless something is an error. Never throws. Refuses a file of more than POLICY_BYTES_MAX (UTF-8)
 * unread.
 */
export function parsePolicy(text: string, options: ParseOptions): PolicyParse {
  const main = readFile(text, null);
  const dropIns = (options.dropIns ?? []).map(({ file, text: added }) => ({
    file,
    yaml: readFile(added, file),
  }));
  const walk: Walk = { diagnostics: [], nowMs: options.nowMs };
  const root = mergeFiles(walk, main.root ?? (hasError(main.diagnostics) ? UNREADABLE : EMPTY), dropIns);
  const document = readRoot(walk, root, options);
  const yaml = [main, ...dropIns.map((dropIn) => dropIn.yaml)].flatMap(({ diagnostics }) => diagnostics);
  const found = trustworthy(walk.diagnostics, yaml, main, dropIns);
  const diagnostics = inOrder([...yaml, ...found]);
  if (main.root === null && !hasError(main.diagnostics)) diagnostics.push(emptyFile(dropIns.length > 0));
  return { document: hasError(diagnostics) ? null : document, diagnostics };
}

function readFile(text: string, file: string | null): YamlRead {
  if (!byteLengthExceeds(text, POLICY_BYTES_MAX)) return readYaml(text, file);
  return { root: null, diagnostics: [tooLarge(file)], brokenLine: 1 };
}

function pair(key: string, value: Node): MapEntry {
  return { key, keySpan: FILE_START, value };
}

const ONE: MapEntry = pair("version", { kind: "scalar", type: "number", text: "1", span: FILE_START });
const NOTHING: Node = { kind: "list", items: [], span: FILE_START };
/** A file without a value denies everything; one that could not be read says nothing. */
const EMPTY: MapNode = {
  kind: "map",
  entries: [ONE, pair("inbound", NOTHING), pair("outbound", NOTHING)],
  span: FILE_START,
};
const UNREADABLE: MapNode = { kind: "map", entries: [ONE], span: FILE_START };

/** Counts UTF-8 bytes and stops at the limit. */
function byteLengthExceeds(text: string, most: number): boolean {
  if (text.length > most) return true;
  if (text.length * 3 <= most) return false;
  return new TextEncoder().encode(text).length > most;
}

function tooLarge(file: string | null): Diagnostic {
  return {
    code: "policy/too-large",
    severity: "error",
    message: `the file is larger than ${POLICY_BYTES_MAX} bytes and was not read`,
    help: "keep long lists of addresses in files of their own: `sets: {name: {file: PATH}}`",
    span: placeIn(file, FILE_START),
  };
}

/** What to write so that SSH comes in. */
export const KEEP_SSH = 'to keep SSH: `inbound: [{allow: ssh, from: any, why: "administration, keys only"}]`';

function emptyFile(hasDropIns: boolean): Diagnostic {
  return {
    code: "policy/empty",
    severity: "warning",
    message: hasDropIns
      ? "the file holds no policy: what its drop-ins do not allow is denied, inbound and outbound"
      : "the file holds no policy: everything is denied, inbound (SSH too) and outbound",
    help: KEEP_SSH,
    span: FILE_START,
  };
}

const NOT_AFTER_BROKEN_SYNTAX = new Set([
  "policy/missing-key",
  "policy/wrong-type",
  "policy/unknown-source",
  "policy/unknown-set",
  "policy/unknown-scope",
  "policy/unknown-zone",
]);

/** Said of a name or risk that may stand in a file whose syntax is broken. */
const NOT_BESIDE_BROKEN_SYNTAX = new Set([
  ...NOT_AFTER_BROKEN_SYNTAX,
  "policy/needs-accept-risk",
  "policy/public-suffix",
  "policy/outbound-judged",
]);

/**
 * Where the syntax is broken, only what stands before it and is complete in itself is worth saying; and of
 * an alias only that it is one, or that the name it was meant as is too broad.
 */
function trustworthy(
  diagnostics: readonly Diagnostic[],
  syntax: readonly Diagnostic[],
  main: YamlRead,
  dropIns: readonly ReadDropIn[],
): readonly Diagnostic[] {
  const aliases = new Set(
    syntax.filter(({ code }) => code === "policy/alias").map(({ span }) => placeOf(span)),
  );
  const broken = new Map<string | undefined, number>();
  if (main.brokenLine !== null) broken.set(undefined, main.brokenLine);
  for (const { file, yaml } of dropIns) if (yaml.brokenLine !== null) broken.set(file, yaml.brokenLine);
  return diagnostics.filter(({ code, span }) => {
    if (aliases.has(placeOf(span)) && code !== "policy/public-suffix") return false;
    const brokenLine = broken.get(span.file);
    if (brokenLine !== undefined) return span.line < brokenLine && !NOT_AFTER_BROKEN_SYNTAX.has(code);
    return broken.size === 0 || !NOT_BESIDE_BROKEN_SYNTAX.has(code);
  });
}

function placeOf({ file, line, column }: Span): string {
  return `${line}:${column}:${file ?? ""}`;
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const ordered = [...diagnostics].sort((left, right) => comparePlaces(left.span, right.span));
  if (ordered.length <= DIAGNOSTICS_MAX) return ordered;
  // An error never falls victim to the limit while a warning stays.
  const errors = ordered.filter((diagnostic) => diagnostic.severity === "error");
  const others = ordered.filter((diagnostic) => diagnostic.severity !== "error");
  const kept = [...errors, ...others].slice(0, DIAGNOSTICS_MAX);
  const more: Diagnostic = {
    code: "policy/more",
    severity: errors.length > 0 ? "error" : "notice",
    message: `${ordered.length - DIAGNOSTICS_MAX} more problems are not shown`,
    help: null,
    span: FILE_START,
  };
  return [...kept, more];
}

type RootFields = Fields<(typeof ROOT_KEYS)[number]>;

function readRoot(walk: Walk, root: Node, options: ParseOptions): PolicyDocument | null {
  if (root.kind !== "map") {
    const help = "a policy begins with `version: 1` and has `inbound:` and `outbound:`";
    fail(walk, "root", FILE_START, `a policy must be a map, not ${describeNode(root)}`, help);
    return null;
  }
  const fields = fieldsOf(walk, root, "a policy", ROOT_KEYS, {
    rules: "rules are listed under `inbound:` and `outbound:`",
    ...RENAMED,
  });
  if (fields === null) return null;
  readVersion(walk, root, "the policy");
  const mode = readMode(walk, fields.get("mode"));
  const defaults = readDefaults(walk, fields.get("defaults"));
  const scopes = readScopes(walk, fields.get("scopes"));
  const sets = readSets(walk, fields.get("sets"));
  const zones = readZones(walk, fields.get("zones"));
  const names = namesOf(fields, options.presets);
  checkNameClash(walk, fields, names);
  const acceptRisk = readAcceptedRisks(walk, fields.get("accept_risk"), names.scopes);
  const risks = acceptedRisksOf(acceptRisk);
  checkAlerts(walk, fields.get("alerts"));
  const rules = readRules(walk, fields, (node, direction) =>
    direction === "inbound"
      ? readInboundRule(walk, node, names, defaults.requireOwner)
      : readOutboundRule(walk, node, names, risks, defaults.requireOwner),
  );
  const named = nameRules(walk, rules.inbound, rules.outbound ?? []);
  const tests = readTests(walk, fields.get("tests"), names);
  const asserts = readAsserts(walk, fields.get("assert"), names, risks);
  const outbound = rules.outbound === null ? null : named.outbound;
  const { inbound } = named;
  const document = { mode, inbound, outbound, scopes, sets, zones, defaults, acceptRisk, tests, asserts };
  checkMerged(walk, { version: 1, ...document });
  return { version: 1, ...document };
}

const RENAMED = Object.fromEntries(
  Object.entries(KEYS_RENAMED.root).map(([key, now]) => [key, `did you mean \`${now}\`?`]),
);

/** A rule may name a set whose own entry is wrong: only the entry is then reported. */
function namesOf(fields: RootFields, presets: ReadonlySet<string> | undefined): Names {
  const keysOf = (entry: MapEntry | undefined): ReadonlySet<string> =>
    new Set(entry?.value.kind === "map" ? entry.value.entries.map(({ key }) => key) : []);
  return {
    sets: keysOf(fields.get("sets")),
    zones: keysOf(fields.get("zones")),
    scopes: keysOf(fields.get("scopes")),
    presets: presets ?? null,
  };
}

function checkNameClash(walk: Walk, fields: RootFields, names: Names): void {
  const sets = fields.get("sets")?.value;
  for (const entry of sets?.kind === "map" ? sets.entries : []) {
    if (["any", "world", "public-web"].includes(entry.key)) {
      fail(
        walk,
        "name-of",
        entry.keySpan,
        `${shown(entry.key)} has a meaning of its own`,
        "choose another name",
      );
    } else if (names.zones.has(entry.key)) {
      const help = "`from` could mean either; rename one of them";
      fail(walk, "name-of", entry.keySpan, `${shown(entry.key)} is the name of a set and of a zone`, help);
    }
  }
}

function checkAlerts(walk: Walk, entry: MapEntry | undefined): void {
  if (entry === undefined) return;
  const list = listOf(walk, entry.value, "`alerts`");
  for (const item of list?.items ?? []) mapOf(walk, item, "an alert");
}

interface RuleDrafts {
  readonly inbound: readonly InboundDraft[];
  readonly outbound: readonly OutboundDraft[] | null;
}

type ReadRule = (node: Node, direction: "inbound" | "outbound") => InboundDraft | OutboundDraft | null;

function readRules(walk: Walk, fields: RootFields, read: ReadRule): RuleDrafts {
  const inbound: InboundDraft[] = [];
  const outbound: OutboundDraft[] = [];
  let count = 0;
  for (const direction of ["inbound", "outbound"] as const) {
    const entry = fields.get(direction);
    if (entry === undefined) continue;
    const list = listOf(walk, entry.value, `\`${direction}\``, LIST_HELP[direction]);
    for (const item of list?.items ?? []) {
      count += 1;
      if (count > RULES_MAX) {
        const message = `the policy has more than ${RULES_MAX} rules`;
        fail(walk, "too-many-rules", item.span, message, "join rules that differ only in their destinations");
        return { inbound, outbound };
      }
      const rule = read(item, direction);
      if (rule === null) continue;
      if ("services" in rule) inbound.push(rule);
      else outbound.push(rule);
    }
  }
  return { inbound, outbound: fields.has("outbound") ? outbound : null };
}
