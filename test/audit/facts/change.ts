/** Facts with one thing changed, so that a row of a test says just what differs. */
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import { type Reading, read } from "../../../src/core/audit/reading.ts";

type Part = {
  [Key in keyof Facts]: Facts[Key] extends Reading<infer Held>
    ? Held extends readonly unknown[]
      ? never
      : Key
    : never;
}[keyof Facts];
type Value<Key extends Part> = Facts[Key] extends Reading<infer Inner> ? Inner : never;

/** Returns facts in which some fields of one part differ. */
export function change<Key extends Part>(facts: Facts, key: Key, over: Partial<Value<Key>>): Facts {
  const part = facts[key] as Reading<Value<Key>>;
  if (part.kind !== "read") throw new Error(`${key} was not read`);
  return { ...facts, [key]: read({ ...(part.value as object), ...over }) };
}

/** The value of a part that these facts hold. */
export function partOf<Key extends Part>(facts: Facts, key: Key): Value<Key> {
  const part = facts[key] as Reading<Value<Key>>;
  if (part.kind !== "read") throw new Error(`${key} was not read`);
  return part.value;
}

/** The value that a reading holds. */
export function valueIn<Inner>(reading: Reading<Inner>): Inner {
  if (reading.kind !== "read") throw new Error("it was not read");
  return reading.value;
}
