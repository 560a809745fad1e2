/** What one policy changes against another, in one line: by what they mean, never by how they are written. */
import type { Direction, ScopeTarget } from "./document.ts";
import type { ResolvedInboundRule, ResolvedOutboundRule, ResolvedPolicy } from "./resolved.ts";

type Rule = ResolvedInboundRule | ResolvedOutboundRule;

export interface PolicyChange {
  /** Ids of rules. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Rules of the same id that mean something else. */
  readonly changed: readonly string[];
  /** Everything else that means something else, each in words: `outbound enforce -> OBSERVE`. */
  readonly settings: readonly string[];
}

/** Returns what is different. Reasons, owners, order and lines of the file mean nothing to the kernel. */
export function changeBetween(before: ResolvedPolicy, after: ResolvedPolicy): PolicyChange {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  const inBoth = [...now.keys()].filter((key) => old.has(key));
  return {
    added: [...now.keys()].filter((key) => !old.has(key)).map(idOf),
    removed: [...old.keys()].filter((key) => !now.has(key)).map(idOf),
    changed: inBoth.filter((key) => !isSame(old.get(key), now.get(key))).map(idOf),
    settings: [
      ...modeChanges(before, after),
      ...denialChanges(before, after),
      ...scopeChanges(before, after),
      ...guardChanges(before, after),
      ...zoneChanges(before, after),
      ...(before.containers === after.containers
        ? []
        : [
            `unnamed containers ${before.containers} -> ${loud(after.containers, after.containers === "allow")}`,
          ]),
    ],
  };
}

/** Returns how many things are different. */
export function changeCount({ added, removed, changed, settings }: PolicyChange): number {
  return added.length + removed.length + changed.length + settings.length;
}

/**
 * Returns one line: `+2 -1 rules; outbound enforce -> OBSERVE; scope agent: user a -> user b`. What opens is in capital
 * letters. `before` null: nothing was in force.
 */
export function changeWords(before: ResolvedPolicy | null, after: ResolvedPolicy): string {
  if (before === null) {
    const rules = after.inbound.length + (after.outbound?.length ?? 0);
    const outbound = after.outbound === null ? "not judged" : after.mode.outbound;
    return `${plural(rules, "rule")}; inbound ${after.mode.inbound}, outbound ${outbound}; nothing was in force`;
  }
  const change = changeBetween(before, after);
  if (changeCount(change) === 0) return "nothing: it means what is in force";
  return [...ruleWords(change), ...change.settings].join("; ");
}

function ruleWords({ added, removed, changed }: PolicyChange): string[] {
  const parts = [
    ...(added.length === 0 ? [] : [`+${added.length}`]),
    ...(removed.length === 0 ? [] : [`-${removed.length}`]),
    ...(changed.length === 0 ? [] : [`~${changed.length}`]),
  ];
  const rules = added.length + removed.length + changed.length === 1 ? "rule" : "rules";
  return parts.length === 0 ? [] : [`${parts.join(" ")} ${rules}`];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Ids are unique in a policy; the direction keeps apart what only seems to be the same rule. */
function rulesOf(policy: ResolvedPolicy): ReadonlyMap<string, unknown> {
  const of = (direction: Direction, rules: readonly Rule[]) =>
    rules.map((rule) => [`${direction}/${rule.id}`, meaningOf(policy, direction, rule)] as const);
  return new Map([...of("inbound", policy.inbound), ...of("outbound", policy.outbound ?? [])]);
}

function idOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** What follows from the direction is told there once, and not with every rule. */
function meaningOf(policy: ResolvedPolicy, direction: Direction, rule: Rule): unknown {
  const { line: _line, file: _file, why: _why, owner: _owner, large: _large, mode, denial, ...rest } = rule;
  const isOwnMode = mode !== policy.mode[direction];
  const isOwnDenial = rule.action === "deny" && denial !== policy.denial[direction];
  return { ...rest, mode: isOwnMode ? mode : null, denial: isOwnDenial ? denial : null };
}

function modeChanges(before: ResolvedPolicy, after: ResolvedPolicy): string[] {
  return (["inbound", "outbound"] as const).flatMap((direction) => {
    const [old, now] = [modeWord(before, direction), modeWord(after, direction)];
    return old === now ? [] : [`${direction} ${old} -> ${loud(now, STRENGTH[now] < STRENGTH[old])}`];
  });
}

const STRENGTH = { "not judged": 0, observe: 1, enforce: 2 } as const;

function modeWord(policy: ResolvedPolicy, direction: Direction): keyof typeof STRENGTH {
  return direction === "outbound" && policy.outbound === null ? "not judged" : policy.mode[direction];
}

function loud(word: string, isWeaker: boolean): string {
  return isWeaker ? word.toUpperCase() : word;
}

function denialChanges(before: ResolvedPolicy, after: ResolvedPolicy): string[] {
  return (["inbound", "outbound"] as const)
    .filter((direction) => before.denial[direction] !== after.denial[direction])
    .map((direction) => `${direction} denials ${before.denial[direction]} -> ${after.denial[direction]}`);
}

function scopeChanges(before: ResolvedPolicy, after: ResolvedPolicy): string[] {
  // Nobody is judged by a scope while nothing outbound is.
  if (before.outbound === null && after.outbound === null) return [];
  return named(before.scopes, after.scopes, "scope", ({ target }) => targetText(target));
}

function zoneChanges(before: ResolvedPolicy, after: ResolvedPolicy): string[] {
  return named(before.zones, after.zones, "zone", ({ interfaces }) => interfaces.join(", "));
}

function named<Thing extends { readonly name: string }>(
  before: readonly Thing[],
  after: readonly Thing[],
  noun: string,
  text: (thing: Thing) => string,
): string[] {
  const [old, now] = [before, after].map((all) => new Map((all ?? []).map((one) => [one.name, text(one)])));
  return [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].flatMap((name) => {
    const [was, is] = [old?.get(name), now?.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`+${noun} ${name} (${is})`];
    return is === undefined ? [`-${noun} ${name} (${was})`] : [`${noun} ${name}: ${was} -> ${is}`];
  });
}

function targetText(target: ScopeTarget): string {
  switch (target.kind) {
    case "user":
      return `user ${target.user}`;
    case "unit":
      return `unit ${target.unit}`;
    case "cgroup":
      return `cgroup ${target.path}`;
    case "docker":
      return `docker ${target.network}`;
    case "netns":
      return `netns ${target.name}`;
  }
}

function guardChanges(before: ResolvedPolicy, after: ResolvedPolicy): string[] {
  const old = new Map(before.guards.map((guard) => [guard.id, guard.liftedUntilMs]));
  return after.guards.flatMap(({ id, liftedUntilMs }) => {
    const was = old.get(id) ?? null;
    if (was === liftedUntilMs) return [];
    if (liftedUntilMs === null) return [`${id} holds again`];
    return [was === null ? `${id} LIFTED` : `${id} lifted until another time`];
  });
}

/** Whether two values of plain data are the same. Sets of addresses are their intervals, whatever index they carry. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (ArrayBuffer.isView(one) && ArrayBuffer.isView(other)) {
    return isSameList(one as Uint32Array, other as Uint32Array);
  }
  if (Array.isArray(one) && Array.isArray(other)) return isSameList(one, other);
  const [left, right] = [one, other] as readonly Readonly<Record<string, unknown>>[];
  const keys = Object.keys(left ?? {});
  return (
    keys.length === Object.keys(right ?? {}).length && keys.every((key) => isSame(left?.[key], right?.[key]))
  );
}

function isSameList(one: ArrayLike<unknown>, other: ArrayLike<unknown>): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (!isSame(one[at], other[at])) return false;
  return true;
}
