/** What a policy needs from this machine before it can be enforced here. */
import { SeawallError } from "../core/base/error.ts";
import type { Accounts } from "../core/compile/nftables/scope.ts";
import { uidRanges } from "../core/compile/nftables/scope.ts";
import type { PolicyDocument } from "../core/policy/document.ts";
import type { ResolvedPolicy, ResolvedScope } from "../core/policy/resolved.ts";
import { dockerBridge } from "../edge/docker/network.ts";
import { cgroupMount, findScopeCgroup, makeScopeSlice } from "../edge/host/scope-cgroup.ts";
import { interfacesOfNamespace } from "../edge/kernel/netns.ts";

const NOTHING = "nothing was changed";

/** What of a policy says who is judged. */
type JudgedScopes = Pick<ResolvedPolicy, "outbound" | "scopes">;

/** Refuses a policy that would be weaker here than it reads. */
export function refuseUnenforceable(
  policy: ResolvedPolicy,
  document: PolicyDocument,
  accounts: Accounts,
): void {
  refuseCountries(document);
  if (policy.outbound === null) return;
  for (const scope of policy.scopes) refuseScope(scope, accounts);
}

function refuseCountries(document: PolicyDocument): void {
  const terms = [
    ...document.inbound.flatMap((rule) => [...rule.from, ...rule.except]),
    ...(document.outbound ?? []).flatMap((rule) => rule.to),
  ];
  if (terms.some(({ kind }) => kind === "country")) {
    throw new SeawallError("SEAWALL_POLICY", "a rule is by country, and no country data is loaded", {
      still: NOTHING,
      help: "name the prefixes in a set",
    });
  }
}

function refuseScope({ name, target }: ResolvedScope, accounts: Accounts): void {
  if (target.kind !== "user") return;
  const ranges = uidRanges(target.user, accounts);
  if (ranges === undefined) {
    throw new SeawallError(
      "SEAWALL_SCOPE",
      `scope \`${name}\`: there is no user \`${target.user}\` on this machine`,
      {
        still: NOTHING,
        help: `name the agent's user: scopes: {${name}: {user: NAME}}`,
      },
    );
  }
  if (ranges.some(({ first }) => first === 0)) {
    throw new SeawallError(
      "SEAWALL_SCOPE",
      `scope \`${name}\`: the agent's user is root, which sends for the whole machine`,
      {
        still: NOTHING,
        help: "run the agent under a user of its own",
      },
    );
  }
}

/**
 * Returns the interfaces behind which the containers and namespaces of the scopes live. Refuses an unknown one.
 * `bridgesOf`: who knows those of a Docker network without asking dockerd. `leadingTo`: who refuses no namespace.
 */
export function scopeInterfaces(
  policy: JudgedScopes,
  bridgesOf = (network: string): readonly string[] => [dockerBridge(network)],
  leadingTo: (namespace: string) => readonly string[] = interfacesOfNamespace,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name, target } of policy.outbound === null ? [] : policy.scopes) {
    if (target.kind === "docker") found.set(name, bridgesOf(target.network));
    if (target.kind === "netns") found.set(name, leadingTo(target.name));
  }
  return found;
}

/**
 * Makes the slices of scopes by unit and looks for the cgroups of the others. Returns the prefix that nft needs
 * before their paths. Refuses a cgroup that is not there: its rule would refuse the whole ruleset.
 */
export function prepareCgroups(policy: JudgedScopes): string {
  const scopes = policy.outbound === null ? [] : policy.scopes;
  if (!scopes.some(({ target }) => target.kind === "unit" || target.kind === "cgroup")) return "";
  const mount = cgroupMount();
  for (const { name, target } of scopes) {
    if (target.kind === "unit") makeScopeSlice(name, mount);
    if (target.kind === "cgroup") findScopeCgroup(target.path, mount);
  }
  return mount.prefix;
}
