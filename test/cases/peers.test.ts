/** Every case of the peers has an answer of Seawall's: a test here, a test elsewhere, or a printed reason. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RCODE, parseQuery, read16 } from "../../src/core/dns/message.ts";
import { parseHostPort } from "../../src/core/http/host-port.ts";
import { readRequestHead } from "../../src/core/http/head.ts";
import { isPublicIp } from "../../src/core/net/address-class.ts";
import { formatIp, parseIp } from "../../src/core/net/ip.ts";
import { checkPolicy } from "../../src/core/policy/check.ts";
import { evaluate } from "../../src/core/policy/evaluate.ts";
import { parsePolicy } from "../../src/core/policy/parse/parse.ts";
import { looksLikeTls, readClientHello } from "../../src/core/tls/client-hello.ts";
import { flowOf, NOW_MS, policyOf } from "../support/policy.ts";
import type { Answer, Answers } from "./answer.ts";
import { POLICY_ANSWERS } from "./answer-policy.ts";
import { WIRE_ANSWERS } from "./answer-wire.ts";

interface Case {
  readonly id: string;
  readonly category: string;
  readonly input: unknown;
  readonly expected: unknown;
}

const ROOT = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
const { cases } = JSON.parse(read("test/cases/peers.json")) as { cases: readonly Case[] };
const TABLES = JSON.parse(read("test/cases/names.json")) as Record<
  string,
  readonly { id: string }[] | string
>;
const TABLED = new Set(
  Object.values(TABLES).flatMap((table) => (typeof table === "string" ? [] : table.map(({ id }) => id))),
);
const ANSWERS: Answers = { ...POLICY_ANSWERS, ...WIRE_ANSWERS };
const COUNT = 368;

/** Whole categories that are none of Seawall's. */
const NOT_OURS: Readonly<Record<string, string>> = {
  "http-path-canon": "no rules about method and path in this version, so a path is never read",
};

/** What Seawall says, in the words of the tables. */
function said(answer: Exclude<Answer, { by: "row" | "none" }>): string {
  switch (answer.by) {
    case "flow": {
      const { verdict, reason, observed } = evaluate(
        policyOf(policyText(answer)),
        flowOf(answer.flow),
        NOW_MS,
      );
      return `${verdict} ${reason}${observed ? " watched" : ""}`;
    }
    case "destination": {
      const text = `version: 1\noutbound:\n  - {allow: ${JSON.stringify(answer.text)}, why: needed for work}\n`;
      return parsePolicy(text, { nowMs: NOW_MS }).document === null ? "reject" : "accept";
    }
    case "policy":
      return parsePolicy(answer.text, { nowMs: NOW_MS }).document === null ? "reject" : "accept";
    case "overlap": {
      const text = `version: 1\nscopes: {agent: {user: 1}}\noutbound:\n  - {allow: "${answer.text}", port: 80, why: needed for work}\n`;
      const { policy, diagnostics } = checkPolicy(text, {
        nowMs: NOW_MS,
        readSets: () => ({ sets: new Map(), diagnostics: [] }),
      });
      assert.ok(policy !== null, JSON.stringify(diagnostics));
      return String(diagnostics.some(({ code }) => code === "policy/guarded"));
    }
    case "address":
      return [...new Set(answer.texts.map(classOf))].join();
    case "connect": {
      const host = parseHostPort(answer.text, null);
      const head = readRequestHead(
        Buffer.from(`CONNECT ${answer.text} HTTP/1.1\r\nHost: ${answer.text}\r\n\r\n`),
      );
      assert.equal(head.kind === "head", host !== undefined);
      return host === undefined
        ? "refused"
        : `${host.host.kind === "name" ? host.host.name : formatIp(host.host.ip)}:${host.port}`;
    }
    case "head": {
      const found = readRequestHead(Buffer.from(answer.text, "latin1"));
      if (found.kind !== "head") return found.kind === "more" ? "more" : found.problem;
      return found.head.host?.host.kind === "name" ? found.head.host.host.name : "address";
    }
    case "hello": {
      const found = readClientHello(answer.bytes());
      if (found.kind === "hello") return found.serverName ?? "no name";
      return found.kind === "more" ? "more" : found.problem;
    }
    case "sniff":
      return String(looksLikeTls(bytesOf(answer.bytes)));
    case "query": {
      const parsed = parseQuery(bytesOf(answer.bytes));
      if (parsed.ok) return "read";
      const code = parsed.reply === null ? -1 : read16(parsed.reply, 2) & 15;
      return Object.entries(RCODE).find(([, value]) => value === code)?.[0] ?? "silence";
    }
  }
}

function policyText({ rules, mode, risk }: Extract<Answer, { by: "flow" }>): string {
  return [
    "version: 1",
    `mode: ${mode ?? "enforce"}`,
    "scopes: {agent: {user: 4242}}",
    ...(risk === undefined
      ? []
      : ["accept_risk:", `  - {${risk}, reason: needed for work, by: the test, expires: 2098-01-01}`]),
    ...(rules === null ? [] : [rules.length === 0 ? "outbound: []" : "outbound:"]),
    ...(rules ?? []).map((rule) => `  - {${rule}, why: needed for work}`),
    "",
  ].join("\n");
}

function classOf(text: string): string {
  const ip = parseIp(text);
  if (ip === undefined) return "invalid";
  return isPublicIp(ip) ? "public" : "special";
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

test(`there are ${COUNT} cases, each with one answer, and no answer without a case`, () => {
  const ids = cases.map(({ id }) => id);
  assert.equal(new Set(ids).size, COUNT);
  const silent = cases.filter(
    ({ id, category }) => !TABLED.has(id) && ANSWERS[id] === undefined && NOT_OURS[category] === undefined,
  );
  assert.deepEqual(
    silent.map(({ id }) => id),
    [],
  );
  assert.deepEqual(
    [...TABLED, ...Object.keys(ANSWERS)].filter((id) => !ids.includes(id)),
    [],
  );
  assert.deepEqual(
    Object.keys(ANSWERS).filter((id) => TABLED.has(id)),
    [],
  );
});

for (const { id, category, input, expected } of cases) {
  const answer = ANSWERS[id];
  if (answer === undefined || answer.by === "none") continue;
  const why =
    answer.differs === undefined ? "" : ` (the peer says ${JSON.stringify(expected)}: ${answer.differs})`;
  const asked = `${id}: ${category} ${JSON.stringify(input)}`;
  if (answer.by === "row") {
    test(`${asked} is held by "${answer.row}"${why}`, () => {
      assert.ok(read(answer.heldBy).includes(answer.row), `${answer.heldBy} has no such row`);
    });
    continue;
  }
  test(`${asked} gives ${answer.says}${why}`, () => assert.equal(said(answer), answer.says));
}

test("the cases that are none of Seawall's are printed with their reasons", (t) => {
  const reasons = new Map<string, string[]>();
  for (const { id, category } of cases) {
    const answer = ANSWERS[id];
    const reason =
      answer?.by === "none"
        ? answer.reason
        : answer === undefined && !TABLED.has(id)
          ? NOT_OURS[category]
          : undefined;
    if (reason !== undefined) reasons.set(reason, [...(reasons.get(reason) ?? []), id]);
  }
  for (const [reason, ids] of reasons) t.diagnostic(`${reason}: ${ids.join(", ")}`);
  const reasoned = [...reasons.values()].flat().length;
  const tested = TABLED.size + Object.values(ANSWERS).filter(({ by }) => by !== "none").length;
  t.diagnostic(`${tested} tested + ${reasoned} reasoned = ${COUNT}`);
  assert.equal(tested + reasoned, COUNT);
});
