/** What rows of these tests expect, in words. */
import assert from "node:assert/strict";
import type { Resolved } from "./ask.ts";

/** A page came, of this site. */
export function assertReached(page: string, name: string, address?: string): void {
  assert.match(page, new RegExp(`REACHED ${name.replaceAll(".", "\\.")}[ :].*${address ?? ""}`), page);
}

/** Nothing that a site would say came back. */
export function assertNotReached(page: string): void {
  assert.doesNotMatch(page, /REACHED/, page);
}

/** The name does not exist, as far as this scope is told. */
export function assertNoSuchName(found: Resolved): asserts found is Extract<Resolved, { kind: "answer" }> {
  assert.ok(found.kind === "answer", JSON.stringify(found));
  assert.equal(found.rcode, 3, JSON.stringify(found));
  assert.deepEqual(found.values, []);
}

/** Addresses came back. */
export function assertAddresses(found: Resolved, ...wanted: readonly string[]): void {
  assert.ok(found.kind === "answer", JSON.stringify(found));
  assert.deepEqual([found.rcode, found.values.filter(isAddress)], [0, wanted], JSON.stringify(found));
}

/** No address came back, whatever else did. */
export function assertNoAddress(found: Resolved): void {
  assert.ok(found.kind === "answer", JSON.stringify(found));
  assert.deepEqual(found.values.filter(isAddress), [], JSON.stringify(found));
}

function isAddress(value: string): boolean {
  return /^[\d.]+$/.test(value) || value.includes(":");
}

/** The id of a refusal in a text, or undefined. */
export function refusalIn(text: string): string | undefined {
  return /\bsw-[a-km-np-z2-9]{20}\b/.exec(text)?.[0];
}
