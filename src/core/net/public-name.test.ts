import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHostname } from "./hostname.ts";
import { isPublicName } from "./public-name.ts";

describe("a public name", () => {
  for (const [text, isPublic] of [
    ["example.com", true],
    ["a.b.example.co.uk", true],
    ["somebody.github.io", true],
    ["github.io", true],
    ["com", false],
    ["co.uk", false],
    ["printer", false],
    ["localhost", false],
    ["printer.local", false],
    ["nas.lan", false],
    ["db.internal", false],
    ["router.home.arpa", false],
    ["1.0.0.127.in-addr.arpa", false],
    ["duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion", false],
    ["server.corp", false],
  ] as const) {
    it(`${text} is ${isPublic ? "one" : "none"}`, () => {
      const host = parseHostname(text);
      assert.ok(host.ok);
      assert.equal(isPublicName(host.name), isPublic);
    });
  }
});
