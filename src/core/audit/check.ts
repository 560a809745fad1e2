/** A check is a pure function over facts: it never looks at the host itself. */
import type { Facts } from "./fact/facts.ts";
import type { OpenclawInstance } from "./fact/openclaw.ts";
import { forInstances } from "./fix/openclaw.ts";
import type { Finding, Layer, Severity } from "./finding.ts";
import type { Reading } from "./reading.ts";

export interface Check {
  /** Stable: waivers, scripts and reports name it. */
  readonly id: string;
  readonly layer: Layer;
  readonly severity: Severity;
  /** What is so when it passes; the finding of a failure has `fails`. */
  readonly title: string;
  /** One plain sentence: what happens when it is not so. */
  readonly why: string;
  /** What is wrong when it fails, in words of its own, from the evidence. Never "not" what the title says. */
  readonly fails: string | ((evidence: readonly string[]) => string);
  /** What helps, in words that are true on every host; no command that could cut a way in. */
  readonly fix: string;
  /** What helps on this host, by its facts; it takes the place of `fix` when the check fails. */
  readonly remedy?: (facts: Facts, evidence: readonly string[]) => string;
  /** Which effective state is looked at, and where the rule comes from. */
  readonly looksAt: string;
  readonly judge: (facts: Facts) => Outcome;
}

export type Outcome =
  | { readonly status: "pass"; readonly evidence: readonly string[] }
  | {
      readonly status: "fail";
      readonly evidence: readonly string[];
      readonly fix?: string;
      /** When this case is milder or worse than the check's own severity. */
      readonly severity?: Severity;
      /** The instances of OpenClaw that it is about: its commands are typed as their users. */
      readonly instances?: readonly OpenclawInstance[];
    }
  | {
      readonly status: "unknown";
      readonly why: string;
      /** What would make it readable. */
      readonly needs: string;
      /** Said even so, when part of it was seen. */
      readonly evidence?: readonly string[];
    }
  | { readonly status: "not-applicable"; readonly why: string };

/** LIMIT: lines of evidence in one finding; more are counted. */
export const EVIDENCE_MAX = 12;
/** LIMIT: characters in one line of evidence. */
export const EVIDENCE_CHARS_MAX = 300;

export function pass(...evidence: readonly string[]): Outcome {
  return { status: "pass", evidence };
}

export function fail(
  evidence: string | readonly string[],
  options: {
    readonly fix?: string;
    readonly severity?: Severity;
    readonly instances?: readonly OpenclawInstance[];
  } = {},
): Outcome {
  return { status: "fail", evidence: typeof evidence === "string" ? [evidence] : evidence, ...options };
}

export function unknown(why: string, needs: string, evidence: readonly string[] = []): Outcome {
  return { status: "unknown", why, needs, evidence };
}

export function notApplicable(why: string): Outcome {
  return { status: "not-applicable", why };
}

/** Judges what was read; what is absent does not apply, what could not be seen is unknown. */
export function given<Value>(reading: Reading<Value>, judge: (value: Value) => Outcome): Outcome {
  switch (reading.kind) {
    case "read":
      return judge(reading.value);
    case "absent":
      return notApplicable(reading.why);
    case "unreadable":
      return unknown(reading.why, reading.needs);
  }
}

/** Fails with the problems when there are any, and passes with `seen` otherwise. */
export function passUnless(problems: readonly string[], seen: string | readonly string[]): Outcome {
  if (problems.length > 0) return fail(problems);
  return pass(...(typeof seen === "string" ? [seen] : seen));
}

/** Returns exactly one finding for each check, in the order of the checks. */
export function judgeAll(checks: readonly Check[], facts: Facts): Finding[] {
  return checks.map((check) => findingOf(check, check.judge(facts), facts));
}

function findingOf(check: Check, outcome: Outcome, facts: Facts): Finding {
  const { id, layer, title, why } = check;
  const base = { id, layer, title, why, severity: check.severity, waived: null };
  switch (outcome.status) {
    case "pass":
      return { ...base, status: "pass", evidence: bounded(outcome.evidence), fix: null };
    case "fail":
      return {
        ...base,
        status: "fail",
        title: typeof check.fails === "string" ? check.fails : check.fails(outcome.evidence),
        severity: outcome.severity ?? check.severity,
        evidence: bounded(outcome.evidence),
        fix: forInstances(
          outcome.fix ?? check.remedy?.(facts, outcome.evidence) ?? check.fix,
          outcome.instances ?? [],
          facts,
        ),
      };
    case "unknown":
      return {
        ...base,
        status: "unknown",
        evidence: bounded([outcome.why, ...(outcome.evidence ?? [])]),
        fix: outcome.needs,
      };
    case "not-applicable":
      return { ...base, status: "not-applicable", evidence: bounded([outcome.why]), fix: null };
  }
}

/** SECURITY: evidence holds text of others (paths, names, settings): bounded here, made plain where it is shown. */
function bounded(evidence: readonly string[]): readonly string[] {
  const lines = evidence.map((line) =>
    line.length > EVIDENCE_CHARS_MAX ? `${line.slice(0, EVIDENCE_CHARS_MAX - 1)}…` : line,
  );
  if (lines.length <= EVIDENCE_MAX) return lines;
  return [...lines.slice(0, EVIDENCE_MAX), `and ${lines.length - EVIDENCE_MAX} more`];
}
