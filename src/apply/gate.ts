/** A policy with names needs gates: before it is in force, while it comes, and after. */
import { SeawallError } from "../core/base/error.ts";
import { plain } from "../core/base/plain.ts";
import { decidesByName, gatedScopes, isOfThisHost, needsDaemon } from "../core/policy/gated.ts";
import { startDaemonCommand } from "../edge/host/seawalld-unit.ts";
import type { ResolvedPolicy } from "../core/policy/resolved.ts";
import { callDaemon } from "./daemon-call.ts";

const NOTHING = "nothing was changed";

/**
 * Whether a policy is decided by name in the end. What is only watched passes without a gate, but whether a network
 * of its own reaches the gate is tried once, now: a gate that comes later behind another firewall would take its DNS.
 */
function mustHaveGate(policy: ResolvedPolicy): boolean {
  if (!needsDaemon(policy)) return false;
  return policy.mode.outbound === "enforce" || gatedScopes(policy).some((scope) => !isOfThisHost(scope));
}

/** Refuses names while no daemon runs that keeps the gates. */
export async function refuseWithoutGate(policy: ResolvedPolicy, run: string): Promise<void> {
  if (!mustHaveGate(policy)) return;
  const answer = await callDaemon(run, null);
  if (answer.kind !== "absent") return;
  const rule = policy.outbound?.find(
    (one) => one.mode === policy.mode.outbound && (decidesByName(one) || one.containers.length > 0),
  );
  const isWatched = policy.mode.outbound === "observe";
  throw new SeawallError(
    "SEAWALL_GATE_MISSING",
    `rule \`${rule?.id ?? ""}\` is by name, and no seawalld runs that keeps the name gate`,
    {
      still: NOTHING,
      help: `${startDaemonCommand()}${isWatched ? "" : " (or watch only: `mode: {outbound: observe}`)"}`,
    },
  );
}

/**
 * Makes the gates know what is loaded and not yet in force. Returns what they cannot do and could not before either, or
 * null. Refuses when they cannot do what is new. SECURITY: seawalld asks a gate that it started for this, so that one
 * that was taken over keeps nobody from a change; its words are a stranger's all the same.
 */
export async function prepareGate(
  policy: ResolvedPolicy,
  run: string,
  entryId: number,
): Promise<string | null> {
  if (!needsDaemon(policy)) return null;
  const answer = await callDaemon(run, entryId);
  if (answer.kind === "ready")
    return answer.trouble.length === 0
      ? null
      : `the gate cannot listen, as before: ${plain(answer.trouble.join("; "))}`;
  if (!mustHaveGate(policy)) return null;
  const why = answer.kind === "absent" ? "seawalld is gone" : plain(answer.trouble.join("; "));
  throw new SeawallError("SEAWALL_GATE", `the gate is not ready: ${why}`, {
    still: "the policy before it is in force",
    help: "seawall status (and the lines that `seawall daemon` prints)",
  });
}

/** Tells the daemon, when there is one, that something else is in force now. */
export async function followKernel(run: string): Promise<void> {
  await callDaemon(run, null);
}
