// What the rows read out of what others said.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Answer } from "../ask.ts";
import type { Pledge } from "../judge.ts";
import { CORPUS } from "../prove.ts";
import { mayUse } from "./account.ts";
import { judgeProxied, refusalIn } from "./name.ts";

const said = (text: string, outcome: Answer["outcome"] = "reached"): Answer => ({
  outcome,
  code: "answered",
  ms: 1,
  text,
  dns: null,
});
const refused: Pledge = { kind: "refused", drops: false };

describe("the corpus", () => {
  it("has an id for each row, and no id twice", () => {
    const ids = CORPUS.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[a-z0-9-]+$/);
  });
});

describe("an answer of the explicit proxy", () => {
  for (const [says, answer, status] of [
    [
      "403 is a refusal",
      said('HTTP/1.1 403 Forbidden\r\n\r\n{"reason":"default","id":"sw-abcdefghjkabcdefghjk"}'),
      "held",
    ],
    ["400 is a refusal", said("HTTP/1.1 400 Bad Request\r\n\r\n"), "held"],
    ["200 is a way out", said("HTTP/1.1 200 Connection Established\r\n\r\n"), "not-held"],
    [
      "502 for a name that nobody lists is a way out: somebody was asked",
      said("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
      "not-held",
    ],
    ["what is no HTTP shows nothing", said("hello"), "not-possible"],
    ["an attempt that broke shows nothing, and is said", said("", "failed"), "not-held"],
  ] as const) {
    it(says, () => assert.equal(judgeProxied(answer, { gatePledge: refused }).status, status));
  }
});

describe("a refusal in HTTP", () => {
  for (const [says, text, read] of [
    [
      "of the gate has its reason and id",
      'HTTP/1.1 403 Forbidden\r\n\r\n{"reason":"default","id":"sw-abcdefghjkabcdefghjk"}',
      "default sw-abcdefghjkabcdefghjk",
    ],
    ["of a site is not ours", "HTTP/1.1 403 Forbidden\r\n\r\nno", null],
    [
      "inside a page that was reached is not one",
      'HTTP/1.1 200 OK\r\n\r\n{"id":"sw-abcdefghjkabcdefghjk"}',
      null,
    ],
  ] as const) {
    it(says, () => assert.equal(refusalIn(said(text)), read));
  }
});

describe("crontab and at", () => {
  for (const [says, answer, may] of [
    ["that list jobs may be used", said("1 Sat"), true],
    ["without jobs may be used", said("no crontab for openclaw", "refused"), true],
    ["that say no may not", said("You (openclaw) are not allowed to use this program", "refused"), false],
  ] as const) {
    it(says, () => assert.equal(mayUse(answer), may));
  }
});
