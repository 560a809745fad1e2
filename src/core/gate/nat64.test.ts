import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIp, type Ip, parseIp } from "../net/ip.ts";
import { discover, embeddedIp4, type Nat64, WELL_KNOWN } from "./nat64.ts";

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

function nat64(text: string, bits: Nat64["bits"]): Nat64 {
  const prefix = ip(text);
  assert.ok(prefix.family === 6);
  return { prefix: prefix.value, bits };
}

/** RFC 6052 2.4: 192.0.2.33 under prefixes of every length, and under the well-known one. */
const EXAMPLES = [
  ["2001:db8::", 32, "2001:db8:c000:221::"],
  ["2001:db8:100::", 40, "2001:db8:1c0:2:21::"],
  ["2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"],
  ["2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"],
  ["2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"],
  ["2001:db8:122:344::", 96, "2001:db8:122:344::c000:221"],
] as const;

for (const [prefix, bits, address] of EXAMPLES) {
  test(`RFC 6052: ${address} of ${prefix}/${bits} holds 192.0.2.33`, () => {
    const found = embeddedIp4(ip(address), nat64(prefix, bits));
    assert.equal(found === null ? null : formatIp(found), "192.0.2.33");
  });

  test(`RFC 6052: without knowing ${prefix}/${bits}, ${address} is an ordinary address`, () => {
    assert.equal(embeddedIp4(ip(address), null), null);
  });
}

test("RFC 6052: the well-known prefix is always known", () => {
  for (const own of [null, WELL_KNOWN, nat64("2001:db8::", 32)]) {
    const found = embeddedIp4(ip("64:ff9b::c000:221"), own);
    assert.equal(found === null ? null : formatIp(found), "192.0.2.33");
  }
});

test("the well-known prefix ends after 96 bits", () => {
  assert.equal(embeddedIp4(ip("64:ff9b::1:c000:221"), null), null);
  assert.equal(embeddedIp4(ip("64:ff9b:1::c000:221"), null), null);
});

test("an IPv4 address holds no other", () => {
  assert.equal(embeddedIp4(ip("192.0.2.33"), WELL_KNOWN), null);
});

/** RFC 7050 3: what a network answers for ipv4only.arpa tells its prefix. */
const ANSWERS = [
  ["64:ff9b::192.0.0.170", "64:ff9b::", 96],
  ["64:ff9b::192.0.0.171", "64:ff9b::", 96],
  ["2001:db8:122:344::c000:aa", "2001:db8:122:344::", 96],
  ["2001:db8:122:344:c0:0:aa00:0", "2001:db8:122:344::", 64],
  ["2001:db8:122:3c0:0:aa::", "2001:db8:122:300::", 56],
  ["2001:db8:122:c000:0:aa00::", "2001:db8:122::", 48],
  ["2001:db8:1c0:0:aa::", "2001:db8:100::", 40],
  ["2001:db8:c000:aa::", "2001:db8::", 32],
  ["fd00:64::c000:ab", "fd00:64::", 96],
] as const;

for (const [answer, prefix, bits] of ANSWERS) {
  test(`RFC 7050: the answer ${answer} tells ${prefix}/${bits}`, () => {
    assert.deepEqual(discover(ip(answer)), nat64(prefix, bits));
  });
}

for (const answer of ["192.0.0.170", "2001:db8::1", "::", "2606:4700::6810:1"]) {
  test(`RFC 7050: the answer ${answer} tells no prefix`, () => {
    assert.equal(discover(ip(answer)), null);
  });
}

test("RFC 7050: the prefix that an answer tells leads back to the address in the answer", () => {
  for (const [answer] of ANSWERS) {
    const found = embeddedIp4(ip(answer), discover(ip(answer)));
    assert.ok(["192.0.0.170", "192.0.0.171"].includes(found === null ? "" : formatIp(found)), answer);
  }
});
