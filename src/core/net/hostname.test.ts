import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalHost, type Hostname, matchesPattern, parseHostname } from "./hostname.ts";
import { formatIp } from "./ip.ts";

const LONG_LABEL = "a".repeat(63);
const LONGEST_NAME = `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.${"a".repeat(61)}`;

for (const [text, expected] of [
  ["example.com", "example.com"],
  ["Example.COM", "example.com"],
  ["example.com.", "example.com"],
  ["_dmarc.example.com", "_dmarc.example.com"],
  ["123.example.com", "123.example.com"],
  ["localhost", "localhost"],
  ["xn--e1aybc.example.com", "xn--e1aybc.example.com"],
  [LONGEST_NAME, LONGEST_NAME],
  [`${LONGEST_NAME}.`, LONGEST_NAME],
] as const) {
  test(`${text.slice(0, 40)} is the name ${expected.slice(0, 40)}`, () => {
    assert.deepEqual(parseHostname(text), { ok: true, name: expected });
  });
}

for (const [text, problem] of [
  ["", "empty"],
  [".", "empty-label"],
  ["..", "empty-label"],
  ["example.com..", "empty-label"],
  [".example.com", "empty-label"],
  ["a..example.com", "empty-label"],
  ["-a.example.com", "hyphen"],
  ["a-.example.com", "hyphen"],
  ["a b.example.com", "character"],
  ["a\u0000.example.com", "character"],
  ["a%00.example.com", "character"],
  ["a\r\n.example.com", "character"],
  ["a\t.example.com", "character"],
  ["example.com/", "character"],
  ["user@example.com", "character"],
  ["*.example.com", "character"],
  ["exämple.com", "unicode"],
  ["api.\u212Aexample.com", "unicode"],
  ["EXAMPLE.\u212A", "unicode"],
  [`${LONG_LABEL}a.com`, "label-too-long"],
  [`${LONGEST_NAME}a`, "name-too-long"],
  ["a.".repeat(2000), "name-too-long"],
  ["127.1", "address-spelling"],
  ["1.2.3.4", "address-spelling"],
  ["1.2.3.4.5", "address-spelling"],
  ["2130706433", "address-spelling"],
  ["0x7f.1", "address-spelling"],
  ["example.0x", "address-spelling"],
  ["example.0xFF.", "address-spelling"],
  ["example.1", "address-spelling"],
] as const) {
  test(`${JSON.stringify(text).slice(0, 40)} is no name: ${problem}`, () => {
    assert.deepEqual(parseHostname(text), { ok: false, problem });
  });
}

for (const [text, expected] of [
  ["API.Example.com.", "api.example.com"],
  ["тест.example.com", "xn--e1aybc.example.com"],
  ["EXÄMPLE.com", "xn--exmple-cua.com"],
  ["faß.de", "xn--fa-hia.de"],
  ["example。com", "example.com"],
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8::1", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["[::ffff:192.0.2.1]", "192.0.2.1"],
] as const) {
  test(`the host ${text} is ${expected}`, () => {
    const canonical = canonicalHost(text);
    assert.notEqual(canonical.kind, "invalid");
    const shown =
      canonical.kind === "name" ? canonical.name : canonical.kind === "address" && formatIp(canonical.ip);
    assert.equal(shown, expected);
  });
}

for (const [text, problem] of [
  ["１２７.0.0.1", "address-spelling"],
  ["①②⑦.0.0.1", "address-spelling"],
  ["127。0。0。1", "address-spelling"],
  ["0Ｘ7f.1", "address-spelling"],
  ["010.1.1.1", "address-spelling"],
  ["192.0.2.1.", "address-spelling"],
  ["[192.0.2.1]", "address-spelling"],
  ["[fe80::1%eth0]", "address-spelling"],
  ["fe80::1%25eth0", "address-spelling"],
  ["[[::1]]", "address-spelling"],
  ["example.com:443", "address-spelling"],
  ["ex%61mple.com", "character"],
  ["tést\u0000.example.com", "character"],
  ["tést\n.example.com", "character"],
  ["tést%2e.example.com", "character"],
  ["a／b.example.com", "empty"],
  ["\u00AD", "empty"],
  ["\uD800.example.com", "empty"],
] as const) {
  test(`the host ${JSON.stringify(text)} is invalid: ${problem}`, () => {
    assert.deepEqual(canonicalHost(text), { kind: "invalid", problem });
  });
}

function name(text: string): Hostname {
  const parsed = parseHostname(text);
  assert.ok(parsed.ok);
  return parsed.name;
}

for (const [host, expected] of [
  ["a.example.com", true],
  ["a.b.c.example.com", true],
  ["_x.example.com", true],
  ["example.com", false],
  ["xexample.com", false],
  ["x-example.com", false],
  ["example.com.evil.test", false],
  ["example.org", false],
] as const) {
  test(`*.example.com and ${host}: ${expected}`, () => {
    assert.equal(matchesPattern({ kind: "below", suffix: name("example.com") }, name(host)), expected);
  });
}

test("an exact pattern matches itself only", () => {
  const pattern = { kind: "exact", name: name("api.example.com") } as const;
  assert.equal(matchesPattern(pattern, name("API.example.com.")), true);
  assert.equal(matchesPattern(pattern, name("x.api.example.com")), false);
});
