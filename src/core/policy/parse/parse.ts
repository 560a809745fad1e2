import { type Diagnostic, FILE_START, hasError, type Span } from "../../base/diagnostic.ts";
import type { PolicyDocument, PolicyParse } from "../document.ts";
import { readAcceptedRisks } from "./accept-risk.ts";
import { acceptedRisksOf } from "./accepted.ts";
import { type InboundDraft, readInboundRule } from "./inbound.ts";
import type { Names } from "./names.ts";
import { describeNode, type MapEntry, type Node, shown } from "./node.ts";
import { type OutboundDraft, readOutboundRule } from "./outbound.ts";
import { readAsserts, readTests } from "./proof.ts";
import { nameRules } from "./rule-id.ts";
import { readDefaults, readMode, readScopes, readZones } from "./section.ts";
import { readSets } from "./set.ts";
import { POLICY_BYTES_MAX, ROOT_KEYS, RULES_MAX } from "./vocabulary.ts";
import { type Fields, fail, fieldsOf, listOf, mapOf, type Walk, wrongType } from "./walk.ts";
import { readYaml, type YamlRead } from "./yaml.ts";

export interface ParseOptions {
  /** The present, in Unix milliseconds: what has expired is judged by it. */
  readonly nowMs: number;
  /** The presets that exist; without it every well-formed name is taken. */
  readonly presets?: ReadonlySet<string>;
}

const DIAGNOSTICS_MAX = 1_000;

/**
 * Reads a policy file: everything wrong with it at once, each with its place, and the document unless
 * something is an error. Never throws. Refuses text of more than POLICY_BYTES_MAX (UTF-8) unread.
 */
export function parsePolicy(text: string, options: ParseOptions): PolicyParse {
  if (byteLengthExceeds(text, POLICY_BYTES_MAX)) return { document: null, diagnostics: [tooLarge()] };
  const yaml = readYaml(text);
  const walk: Walk = { diagnostics: [], nowMs: options.nowMs };
  const document = yaml.root === null ? withoutRoot(yaml) : readRoot(walk, yaml.root, options);
  const found = trustworthy(walk.diagnostics, yaml);
  const diagnostics = inOrder([...yaml.diagnostics, ...found]);
  if (yaml.root === null && document !== null) diagnostics.push(emptyFile());
  return { document: hasError(diagnostics) ? null : document, diagnostics };
}

/** Counts UTF-8 bytes and stops at the limit. */
function byteLengthExceeds(text: string, most: number): boolean {
  if (text.length > most) return true;
  if (text.length * 3 <= most) return false;
  return new TextEncoder().encode(text).length > most;
}

function tooLarge(): Diagnostic {
  return {
    code: "policy/too-large",
    severity: "error",
    message: `the file is larger than ${POLICY_BYTES_MAX} bytes and was not read`,
    help: "keep long lists of addresses in files of their own: `sets: {name: {file: PATH}}`",
    span: FILE_START,
  };
}

function emptyFile(): Diagnostic {
  return {
    code: "policy/empty",
    severity: "warning",
    message: "the file holds no policy: everything is denied, inbound (SSH too) and outbound",
    help: "`seawall init` writes a policy that keeps your SSH access",
    span: FILE_START,
  };
}

/** A file without a value denies everything; a file that could not be read is no policy at all. */
function withoutRoot(yaml: YamlRead): PolicyDocument | null {
  if (hasError(yaml.diagnostics)) return null;
  return {
    version: 1,
    mode: { inbound: "enforce", outbound: "enforce" },
    inbound: [],
    outbound: [],
    scopes: [],
    sets: [],
    zones: [],
    defaults: { inbound: "refuse", outbound: "refuse", containers: "deny", requireOwner: false },
    acceptRisk: [],
    tests: [],
    asserts: [],
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

/**
 * Where the syntax is broken, only what stands before it and is complete in itself is worth saying; and of
 * an alias only that it is one, or that the name it was meant as is too broad.
 */
function trustworthy(diagnostics: readonly Diagnostic[], yaml: YamlRead): readonly Diagnostic[] {
  const aliases = new Set(
    yaml.diagnostics.filter(({ code }) => code === "policy/alias").map(({ span }) => placeOf(span)),
  );
  const { brokenLine } = yaml;
  return diagnostics.filter(({ code, span }) => {
    if (aliases.has(placeOf(span)) && code !== "policy/public-suffix") return false;
    return brokenLine === null || (span.line < brokenLine && !NOT_AFTER_BROKEN_SYNTAX.has(code));
  });
}

function placeOf(span: Span): string {
  return `${span.line}:${span.column}`;
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const ordered = [...diagnostics].sort(
    (left, right) => left.span.line - right.span.line || left.span.column - right.span.column,
  );
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
    scope: "did you mean `scopes`?",
    set: "did you mean `sets`?",
    zone: "did you mean `zones`?",
  });
  if (fields === null) return null;
  checkVersion(walk, fields);
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
  return { version: 1, mode, inbound, outbound, scopes, sets, zones, defaults, acceptRisk, tests, asserts };
}

function checkVersion(walk: Walk, fields: RootFields): void {
  const entry = fields.get("version");
  if (entry === undefined) {
    fail(walk, "missing-key", fields.span, "the policy has no `version`", "begin the file with `version: 1`");
    return;
  }
  const { value } = entry;
  if (value.kind === "scalar" && value.type === "number" && value.text === "1") return;
  if (value.kind === "scalar" && value.type === "number") {
    const help = "this version of Seawall reads `version: 1`";
    fail(walk, "version", value.span, `version ${shown(value.text)} is not known`, help);
  } else wrongType(walk, value, "`version` must be the number 1");
}

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
    const help =
      direction === "inbound"
        ? "write `inbound: []` to deny everything"
        : "write `outbound: []` to deny everything, or remove the key to judge nothing outbound";
    const list = listOf(walk, entry.value, `\`${direction}\``, help);
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
