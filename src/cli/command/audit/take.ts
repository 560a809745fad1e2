/** One audit of this host, put together for the commands that need one. */
import { join } from "node:path";
import { withFreshLook } from "../../../apply/look.ts";
import { readStatus, type Status } from "../../../apply/status.ts";
import { formatIp } from "../../../core/net/ip.ts";
import { CHECKS, checkNamed } from "../../../core/audit/check/all.ts";
import type { Check } from "../../../core/audit/check.ts";
import type { ContainmentFacts } from "../../../core/audit/fact/facts.ts";
import type { OperatorSession } from "../../../core/audit/fact/operator.ts";
import type { FirewallFacts } from "../../../core/audit/fact/firewall.ts";
import { type Reading, read, unreadable } from "../../../core/audit/reading.ts";
import { type AuditReport, reportOf } from "../../../core/audit/report.ts";
import type { View } from "../../../core/audit/view.ts";
import { MAIN_FILE } from "../../../core/policy/parse/vocabulary.ts";
import { NO_WORD, type OperatorWord, parseOperatorWord } from "../../../core/audit/waiver.ts";
import { sshSessions } from "../../../edge/host/ssh-session.ts";
import { openAnswers } from "../../../edge/probe/audit-store.ts";
import { readText } from "../../../edge/probe/file.ts";
import { takeFacts } from "../../../edge/probe/probe.ts";
import { foldersOf } from "../../../edge/state/folder.ts";
import type { CommandContext } from "../../command.ts";
import { plain } from "../../../core/base/plain.ts";

export interface AuditWanted {
  readonly checks: readonly Check[];
  readonly view: View | null;
  readonly quick: boolean;
  readonly keep: boolean;
}

/** Looks at the host and judges. Writes nothing but, when `keep`, answers of OpenClaw's commands for the next time. */
export async function takeReport(context: CommandContext, wanted: AuditWanted): Promise<AuditReport> {
  const folders = foldersOf(context.env);
  const word = readOperatorWord(folders.config);
  for (const problem of word.problems) context.err(`warning: ${plain(problem)}; it does not hold\n`);
  const status = statusOr(context);
  const whole = wanted.checks.length === CHECKS.length;
  const facts = await takeFacts({
    nowMs: context.nowMs(),
    env: context.env,
    operator: { user: callerOf(context), sessions: sessions() },
    seawall: { ...seawallOf(status), policyFile: policyFileIn(folders.config) },
    attested: word.attested,
    containment: containmentOf(status),
    cache: openAnswers(folders.state, wanted.keep && process.geteuid?.() === 0),
    quick: wanted.quick,
    ...(whole ? {} : { checks: wanted.checks }),
  });
  return reportOf(wanted.checks, facts, word.waivers, wanted.view);
}

/** Where the operator's waivers and statements are. */
export function operatorWordPath(configFolder: string): string {
  return `${configFolder}/audit.yaml`;
}

function readOperatorWord(configFolder: string): OperatorWord {
  const path = operatorWordPath(configFolder);
  const content = readText(path, { follow: true });
  if (content.kind === "missing") return NO_WORD;
  if (content.kind === "refused") return { ...NO_WORD, problems: [content.why] };
  // SECURITY: who can write this file can hide failures.
  const { uid, mode } = content.state;
  if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== process.geteuid?.()))
    return { ...NO_WORD, problems: [`${path} can be written by others than root`] };
  return parseOperatorWord(content.text, (id) => checkNamed(id) !== undefined);
}

function statusOr(context: CommandContext): Status | null {
  if (process.geteuid?.() !== 0) return null;
  try {
    const folders = foldersOf(context.env);
    return withFreshLook(folders, readStatus(folders, context.nowMs()), context.nowMs());
  } catch {
    return null;
  }
}

function seawallOf(status: Status | null): Omit<FirewallFacts["seawall"], "policyFile"> {
  if (status === null) return { state: "unknown", outbound: null };
  const outbound = status.mode?.outbound;
  return {
    state: status.state,
    outbound: outbound === "enforce" || outbound === "observe" ? outbound : null,
  };
}

/** What was found of the scopes of the policy in force. A look of more than a day ago says little of now. */
function containmentOf(status: Status | null): Reading<ContainmentFacts> {
  const seen = status?.containmentSeen ?? null;
  const needs = "seawall apply, which looks at the scopes";
  if (status === null || seen === null)
    return unreadable("whether the agent can become another subject was not looked at", needs);
  if (seen.stale) return unreadable("the last look at the agent's scopes is more than a day old", needs);
  if (status.containment === "unknown")
    return unreadable("the last look at the agent's scopes could not decide", "seawall status");
  const reasons = seen.scopes.flatMap(({ scope, reasons: all }) =>
    all.map(({ sentence, evidence, cure }) => ({ way: `${scope}: ${sentence}: ${evidence}`, cure })),
  );
  return read({ verdict: status.containment, reasons });
}

function policyFileIn(folder: string): string | null {
  const path = join(folder, MAIN_FILE);
  return readText(path, { follow: true }).kind === "text" ? path : null;
}

/** The account behind sudo, or ours: only words of an advice are made of it. */
function callerOf({ env }: CommandContext): string | null {
  const name = env["SUDO_USER"] ?? env["USER"] ?? "";
  return /^[a-z_][a-z0-9_.-]*\$?$/i.test(name) ? name : null;
}

function sessions(): OperatorSession[] {
  try {
    return sshSessions().map(({ peer, local, localPort }) => ({
      peer: formatIp(peer),
      address: formatIp(local),
      port: localPort,
    }));
  } catch {
    return [];
  }
}
