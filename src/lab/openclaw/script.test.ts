import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codesIn, refusalIn, said } from "./script.ts";

const REFUSAL =
  '{"error":"refused","host":"x.example.net","reason":"default","id":"sw-abcdefgh23abcdefgh23"}';

describe("what an answer of the agent comes to", () => {
  const rows: readonly (readonly [answer: string, words: string])[] = [
    ["<p>REACHED eu.files.example.org</p>\nended 0", "REACHED eu.files.example.org"],
    ['{"text":"REACHED eu.files.example.org\\n"}', "REACHED eu.files.example.org"],
    ["<p>REACHED [2600:3c01::f03c]</p>", "REACHED [2600:3c01::f03c]"],
    ["curl: (6) Could not resolve host: x.example.net\nended 6", "ENOTFOUND"],
    ["Error: getaddrinfo ENOTFOUND x.example.net", "ENOTFOUND"],
    ["curl: (7) Failed to connect to 192.0.2.1 port 80\nended 7", "ECONNREFUSED"],
    ["Proxy response (403) !== 200 when HTTP Tunneling", "403"],
    [`${REFUSAL}\nended 0`, "403 default"],
    ["REACHED x.example.net\nended 124", "hung"],
    ["something   else\naltogether", "something else altogether"],
  ];
  for (const [answer, words] of rows)
    test(`${words}: ${answer.slice(0, 40)}`, () => assert.equal(said(answer), words));
});

test("a refusal is its reason and its id, or none", () => {
  assert.deepEqual(refusalIn(REFUSAL), { reason: "default", id: "sw-abcdefgh23abcdefgh23" });
  assert.equal(refusalIn('{"reason":"default"}'), null);
});

test("each look-up counts once, failed or answered", () => {
  assert.deepEqual(codesIn("ENOTFOUND\nANSWERED a,b\nended 0"), ["ENOTFOUND", "ANSWERED"]);
});
