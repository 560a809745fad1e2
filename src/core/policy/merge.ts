/**
 * The main file and its drop-ins become one tree before anything is read, so that one reader gives them one
 * meaning: references, ids, zones and limits are those of the whole. INVARIANT: what a drop-in adds cannot
 * change what a guard or an assertion of the main file is about.
 */
import { FILE_START, hasError, type Span } from "../base/diagnostic.ts";
import type { AssertEntry, PolicyDocument } from "./document.ts";
import { describeNode, type MapEntry, type MapNode, type Node, shown } from "./parse/node.ts";
import { fileOf, placeIn } from "./parse/position.ts";
import { readVersion } from "./parse/section.ts";
import {
  AGENT_SCOPE,
  LIST_HELP,
  LIST_KEYS,
  MAIN_FILE,
  MAIN_ONLY_KEYS,
  NAME_KEYS,
} from "./parse/vocabulary.ts";
import { fail, listOf, mapOf, type Walk, warn } from "./parse/walk.ts";
import type { YamlRead } from "./parse/yaml.ts";

/** A drop-in as YAML. */
export interface ReadDropIn {
  /** `policy.d/NAME` */
  readonly file: string;
  readonly yaml: YamlRead;
}

/** Returns the tree of the whole policy: the rules of the main file first, then those of each drop-in. */
export function mergeFiles(walk: Walk, main: Node, dropIns: readonly ReadDropIn[]): Node {
  if (main.kind !== "map") return main;
  const added = dropIns.flatMap((dropIn) => entriesOf(walk, dropIn));
  const judged = main.entries.some(({ key }) => key === "outbound");
  if (judged) refuseAgent(walk, added);
  else warnJudged(walk, added);
  const all = [...main.entries, ...added];
  const entries = [...new Set(all.map(({ key }) => key))].flatMap((key) => {
    const given = all.filter((entry) => entry.key === key);
    if (given.length === 1) return given;
    if (isOneOf(LIST_KEYS, key)) return joinLists(walk, key, given);
    return isOneOf(NAME_KEYS, key) ? joinNames(walk, key, given) : given;
  });
  return { kind: "map", entries, span: main.span };
}

function isOneOf<Word extends string>(words: readonly Word[], key: string): key is Word {
  return words.some((word) => word === key);
}

/** What a drop-in adds, without its version. What only the main file may say is reported and left out. */
function entriesOf(walk: Walk, { file, yaml }: ReadDropIn): MapEntry[] {
  const { root } = yaml;
  if (root === null || root.kind !== "map") {
    if (hasError(yaml.diagnostics)) return [];
    const start = placeIn(file, FILE_START);
    const help = "begin the file with `version: 1`";
    if (root === null) fail(walk, "missing-key", start, "the drop-in has no `version`", help);
    else fail(walk, "root", start, `a drop-in must be a map, not ${describeNode(root)}`, help);
    return [];
  }
  readVersion(walk, root, "the drop-in");
  for (const { key, keySpan } of root.entries) {
    if (!isOneOf(MAIN_ONLY_KEYS, key)) continue;
    fail(
      walk,
      "drop-in",
      keySpan,
      `a drop-in has no ${shown(key)}`,
      `only the main file \`${MAIN_FILE}\` may`,
    );
  }
  return root.entries.filter(({ key }) => key !== "version" && !isOneOf(MAIN_ONLY_KEYS, key));
}

/** SECURITY: who `agent` is decides what the outbound guards and assertions are about. */
function refuseAgent(walk: Walk, added: readonly MapEntry[]): void {
  for (const { key, value } of added) {
    if (key !== "scopes" || value.kind !== "map") continue;
    const agent = value.entries.find((entry) => entry.key === AGENT_SCOPE);
    if (agent === undefined) continue;
    const message = `a drop-in cannot say who \`${AGENT_SCOPE}\` is: \`${MAIN_FILE}\` judges it`;
    fail(walk, "drop-in", agent.keySpan, message, `write it into \`${MAIN_FILE}\``);
  }
}

function warnJudged(walk: Walk, added: readonly MapEntry[]): void {
  const first = added.find(({ key }) => key === "outbound");
  if (first === undefined) return;
  const message = `with this drop-in outbound is judged; \`${MAIN_FILE}\` alone judges nothing outbound`;
  const help = `what no rule allows is denied; write \`outbound:\` into \`${MAIN_FILE}\` if that is meant`;
  warn(walk, "outbound-judged", first.keySpan, message, help);
}

function joinLists(walk: Walk, key: (typeof LIST_KEYS)[number], given: readonly MapEntry[]): MapEntry[] {
  const lists = given.flatMap(({ value, keySpan }) => {
    const list = listOf(walk, value, `\`${key}\``, LIST_HELP[key]);
    return list === null ? [] : [{ list, keySpan }];
  });
  const [first] = lists;
  if (first === undefined) return [];
  const items = lists.flatMap(({ list }) => list.items);
  return [{ key, keySpan: first.keySpan, value: { kind: "list", items, span: first.list.span } }];
}

function joinNames(walk: Walk, key: (typeof NAME_KEYS)[number], given: readonly MapEntry[]): MapEntry[] {
  const maps = given.flatMap(({ value, keySpan }) => {
    const map = mapOf(walk, value, `\`${key}\``);
    return map === null ? [] : [{ map, keySpan }];
  });
  const [first] = maps;
  if (first === undefined) return [];
  const value: MapNode = { kind: "map", entries: uniqueNames(walk, key, maps), span: first.map.span };
  return [{ key, keySpan: first.keySpan, value }];
}

function uniqueNames(
  walk: Walk,
  key: (typeof NAME_KEYS)[number],
  maps: readonly { readonly map: MapNode }[],
): MapEntry[] {
  const named = new Map<string, MapEntry>();
  for (const entry of maps.flatMap(({ map }) => map.entries)) {
    const earlier = named.get(entry.key);
    if (earlier === undefined) named.set(entry.key, entry);
    else {
      const files = `${shown(fileOf(earlier.keySpan))} and ${shown(fileOf(entry.keySpan))}`;
      const message = `the ${key.slice(0, -1)} ${shown(entry.key)} is in ${files}`;
      const help = `the first is in line ${earlier.keySpan.line}; rename one of them`;
      fail(walk, "duplicate-name", entry.keySpan, message, help);
    }
  }
  return [...named.values()];
}

/** Reports what can only be seen once everything is read: two scopes for one subject, assertions that float. */
export function checkMerged(walk: Walk, document: PolicyDocument): void {
  const targets = new Map<string, { readonly name: string; readonly span: Span }>();
  for (const { name, target, span } of document.scopes) {
    const text = JSON.stringify(target);
    const earlier = targets.get(text);
    if (earlier === undefined) targets.set(text, { name, span });
    else if (earlier.span.file !== span.file) {
      const other = `\`${earlier.name}\` of ${shown(fileOf(earlier.span))}`;
      const message = `the scope \`${name}\` is the same ${target.kind} as ${other}`;
      fail(walk, "duplicate-scope", span, message, `write its rules for \`${earlier.name}\``);
    }
  }
  for (const entry of document.asserts)
    if (entry.span.file === undefined) checkAnchored(walk, entry, document);
}

/** SECURITY: an assertion that stands on a drop-in's set could be emptied by that drop-in. */
function checkAnchored(walk: Walk, entry: AssertEntry, document: PolicyDocument): void {
  const refuse = (what: string, name: string, home: string, span: Span): void => {
    const message = `an assertion of \`${MAIN_FILE}\` stands on the ${what} \`${name}\` of ${shown(home)}`;
    fail(
      walk,
      "drop-in",
      span,
      message,
      `a drop-in must not be able to relax it: move the ${what} to \`${MAIN_FILE}\``,
    );
  };
  for (const term of entry.who) {
    if (term.kind !== "word" && term.kind !== "set") continue;
    const home = document.sets.find(({ name }) => name === term.ref.name)?.span.file;
    if (home !== undefined) refuse("set", term.ref.name, home, term.ref.span);
  }
  const home = document.scopes.find(({ name }) => name === entry.scope)?.span.file;
  if (entry.direction === "outbound" && home !== undefined) refuse("scope", entry.scope, home, entry.span);
}
