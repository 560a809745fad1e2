import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canonicalHost, matchesPattern } from "../../src/core/net/hostname.ts";
import { formatIp, parseIp } from "../../src/core/net/ip.ts";
import { parseNamePattern } from "../../src/core/net/name-pattern.ts";
import { parsePortRange } from "../../src/core/net/port-range.ts";
import { parsePolicy } from "../../src/core/policy/parse/parse.ts";

interface Cases {
  readonly match: readonly { id: string; pattern: string; host: string; expected: boolean | string }[];
  readonly pattern: readonly { id: string; pattern: string; expected: "accept" | "reject" }[];
  readonly host: readonly { id: string; host: string; expected: string }[];
  readonly port: readonly { id: string; port: string; expected: "accept" | "reject" }[];
}

const CASES = JSON.parse(readFileSync(new URL("names.json", import.meta.url), "utf8")) as Cases;

/** What becomes of a pattern and a host, in the words of the table. */
function matched(pattern: string, host: string): boolean | string {
  const parsed = parseNamePattern(pattern);
  if (parseIp(pattern) !== undefined) return "address";
  if (!parsed.ok || parsed.breadth === "public-suffix") return "pattern-rejected";
  const canonical = canonicalHost(host);
  if (canonical.kind === "invalid") return "invalid-host";
  return canonical.kind === "name" && matchesPattern(parsed.pattern, canonical.name);
}

for (const { id, pattern, host, expected } of CASES.match) {
  test(`${id}: ${JSON.stringify(pattern)} and ${JSON.stringify(host)} give ${expected}`, () => {
    assert.equal(matched(pattern, host), expected);
  });
}

for (const { id, pattern, expected } of CASES.pattern) {
  test(`${id}: a policy ${expected}s ${JSON.stringify(pattern)}`, () => {
    const text = `version: 1\noutbound:\n  - {allow: ${JSON.stringify(pattern)}, why: needed for work}\n`;
    const { document } = parsePolicy(text, { nowMs: 0 });
    const isName = document?.outbound?.[0]?.to[0]?.kind === "name";
    assert.equal(isName, expected === "accept");
  });
}

for (const { id, host, expected } of CASES.host) {
  test(`${id}: the host ${JSON.stringify(host)} is ${expected}`, () => {
    const canonical = canonicalHost(host);
    const shown =
      canonical.kind === "name"
        ? canonical.name
        : canonical.kind === "address"
          ? formatIp(canonical.ip)
          : "invalid";
    assert.equal(shown, expected);
  });
}

for (const { id, port, expected } of CASES.port) {
  test(`${id}: a policy ${expected}s the port ${JSON.stringify(port)}`, () => {
    const text = `version: 1\noutbound:\n  - {allow: a.example.com, port: ${port}, why: needed for work}\n`;
    assert.equal(parsePolicy(text, { nowMs: 0 }).document !== null, expected === "accept");
    assert.equal(parsePortRange(port) !== undefined, expected === "accept");
  });
}
