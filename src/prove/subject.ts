/** The policy that the kernel judges by now. */
import { policyAsHeld } from "../apply/held-policy.ts";
import { readStatus, type Status } from "../apply/status.ts";
import { SeawallError } from "../core/base/error.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import type { Folders } from "../edge/state/folder.ts";

export interface Subject {
  readonly policy: ResolvedPolicy;
  readonly status: Status;
}

/** Returns the policy in force. Refuses where nothing is, and where nothing outbound is judged. */
export function subjectInForce(folders: Folders, nowMs: number): Subject {
  const status = readStatus(folders, nowMs);
  if (status.generation === null || status.policy === null) {
    throw new SeawallError("SEAWALL_STATE", "no policy is in force, so there is nothing to prove", {
      still: status.drift ?? "nothing of Seawall judges",
      help: "seawall apply FILE",
    });
  }
  const policy = policyAsHeld(folders.state, status.policy.id, status.held);
  if (policy === null) {
    throw new SeawallError("SEAWALL_STATE", `the history has no meaning of policy ${status.policy.id}`, {
      still: "the kernel keeps the rules it has",
      help: `seawall apply ${status.policy.path}`,
    });
  }
  if (policy.outbound === null) {
    throw new SeawallError(
      "SEAWALL_POLICY",
      "the policy in force has no `outbound`: the agent is not judged",
      {
        still: "inbound is judged as the policy says",
        help: "write `outbound: []` (nothing is allowed) or rules, then seawall apply FILE",
      },
    );
  }
  return { policy, status };
}

/** Returns the scopes to prove: all, or the one that is named. Refuses an unknown one. */
export function scopesOf(policy: ResolvedPolicy, name: string | undefined): readonly ResolvedScope[] {
  if (name === undefined) return policy.scopes;
  const scope = policy.scopes.find((one) => one.name === name);
  if (scope !== undefined) return [scope];
  throw new SeawallError("SEAWALL_NOT_FOUND", `the policy in force has no scope \`${name}\``, {
    help: `one of ${policy.scopes.map((one) => one.name).join(", ")}`,
  });
}
