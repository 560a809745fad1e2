/** Where a file says one thing and the host does another, and where nothing may be guessed: one row a case. */
import assert from "node:assert/strict";
import { checkNamed } from "../../../src/core/audit/check/all.ts";
import type { Outcome } from "../../../src/core/audit/check.ts";
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import type { OpenclawInstance } from "../../../src/core/audit/fact/openclaw.ts";
import { absent, read, unreadable } from "../../../src/core/audit/reading.ts";
import { change } from "../facts/change.ts";
import { GOOD_INSTANCE } from "../facts/good-agent.ts";
import { goodFacts, tablesOf } from "../facts/good.ts";

export const good = goodFacts();
export const hidden = unreadable("only root may see it", "sudo seawall audit");

export type Row = readonly [
  sentence: string,
  id: string,
  facts: Facts,
  status: Outcome["status"],
  says?: RegExp,
];

export function titleOf([sentence, id, , status]: Row): string {
  return `${id} ${status}: ${sentence}`;
}

export function judgeRow([, id, facts, status, says]: Row): void {
  const outcome = checkNamed(id)?.judge(facts);
  const evidence = outcome !== undefined && "evidence" in outcome ? (outcome.evidence ?? []) : [];
  const lines = [...evidence, ...(outcome !== undefined && "why" in outcome ? [outcome.why] : [])];
  assert.equal(outcome?.status, status, lines.join("\n"));
  if (says !== undefined)
    assert.ok(
      lines.some((line) => says.test(line)),
      lines.join("\n"),
    );
}

/** The good host with an instance that differs. */
export function instance(over: Partial<OpenclawInstance>): Facts {
  return change(good, "openclaw", { instances: [{ ...GOOD_INSTANCE, ...over }] });
}

export function config(over: object): Facts {
  return instance({ config: read(over as never) });
}

/** The good host with one nft chain at input that drops by policy, without UFW and Seawall. */
export function rules(...expressions: readonly (readonly object[])[]): Facts {
  const table = { family: "inet", table: "filter" };
  const json = {
    nftables: [
      { table: { family: "inet", name: "filter" } },
      { chain: { ...table, name: "input", type: "filter", hook: "input", prio: 0, policy: "drop" } },
      ...expressions.map((expr) => ({ rule: { ...table, chain: "input", expr } })),
    ],
  };
  return change(good, "firewall", {
    tables: read(tablesOf(json)),
    seawall: { state: "off", outbound: null, policyFile: null },
    ufw: absent("UFW is not installed"),
  });
}

export const accept = { accept: null };

export function port(right: unknown): object {
  return { match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right } };
}

/** A match that nft prints and nobody can evaluate from outside. */
export const unreadableTerm = { xt: { type: "match", name: "string" } };
