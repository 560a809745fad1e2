import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHostPort, parseHostPort } from "./host-port.ts";

for (const [text, defaultPort, expected] of [
  ["a.example:443", null, "a.example:443"],
  ["A.Example.:1", null, "a.example:1"],
  ["a.example", 80, "a.example:80"],
  ["a.example:65535", 80, "a.example:65535"],
  ["192.0.2.1:443", null, "192.0.2.1:443"],
  ["[::1]:443", null, "[::1]:443"],
  ["[::ffff:192.0.2.1]:443", null, "192.0.2.1:443"],
  ["[2001:db8::1]", 80, "[2001:db8::1]:80"],
  ["example.net", null, undefined],
  ["[[example.net]]:1337", null, undefined],
  ["[a.example]:443", null, undefined],
  ["[192.0.2.1]:443", null, undefined],
  ["[fe80::1%eth0]:443", null, undefined],
  ["[::1", 80, undefined],
  ["[::1]443", 80, undefined],
  ["[]:443", null, undefined],
  ["", 80, undefined],
  [":", 80, undefined],
  [":443", null, undefined],
  ["::", 80, undefined],
  ["2001:DB8::1337", 80, undefined],
  ["a.example:", 80, undefined],
  ["a.example:0", 80, undefined],
  ["a.example:0443", 80, undefined],
  ["a.example:65536", 80, undefined],
  ["a.example:443:443", 80, undefined],
  ["a.example:+443", 80, undefined],
  ["a.example: 443", 80, undefined],
  ["a.example:443 ", 80, undefined],
  ["a.example:https", 80, undefined],
  ["user@a.example:443", null, undefined],
  ["user:pass@a.example:443", null, undefined],
  ["a.example/x", 80, undefined],
  ["a%2eexample", 80, undefined],
  ["ä.example", 80, undefined],
  ["２１.example", 80, undefined],
  ["127.1", 80, undefined],
  ["0x7f000001:80", null, undefined],
  ["a.".repeat(200), 80, undefined],
] as const) {
  const asked = defaultPort === null ? "a port required" : `port ${defaultPort} by default`;
  test(`${text.slice(0, 40) || "nothing"}, ${asked}, is ${expected ?? "no host and port"}`, () => {
    const parsed = parseHostPort(text, defaultPort);
    assert.equal(parsed === undefined ? undefined : formatHostPort(parsed, null), expected);
  });
}
