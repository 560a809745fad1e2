/** The chains that carry out "to the gate": the same for every policy, so they are loaded once and never judged by. */
import { type GatePorts, gatePorts } from "../../policy/gate-port.ts";
import { SCOPES_MAX } from "../../policy/resolve.ts";
import { MARK_FOREIGN_MASK, MARK_MASK, toGateOf } from "./mark.ts";
import type { Chain } from "./ruleset.ts";
import { hex32, name, nft } from "./text.ts";

/** Before DNAT of others: who is first decides, and a scope's name must not be decided by somebody else's rule. */
const NAT_PRIORITY = -110;
/** After every NAT: what still carries the mark was not diverted, whoever is to blame. */
const ESCAPE_PRIORITY = -90;

/** The base chains that divert, and those that stop what was not. They are the same for every policy. */
export function divertChains(): Chain[] {
  const scopes = Array.from({ length: SCOPES_MAX }, (_, at) => at + 1);
  const upper = nft`meta mark and ${hex32(MARK_MASK)}`;
  const to = scopes.map((scope) => nft`${hex32(toGateOf(scope))} : goto ${name(`divert/${scope}`)}`);
  const lost = scopes.map((scope) => nft`${hex32(toGateOf(scope))} : drop`);
  const hooks = ["prerouting", "output"] as const;
  return [
    ...scopes.map((scope) => divertChain(scope, gatePorts(scope))),
    ...hooks.map((hook) => ({
      name: `divert_${hook}`,
      about: "what our chains sent to a gate",
      rules: [
        nft`type nat hook ${name(hook)} priority ${NAT_PRIORITY}; policy accept;`,
        nft`${upper} vmap { ${to} }`,
      ],
    })),
    ...hooks.map((hook) => ({
      name: `escape_${hook}`,
      about: "what should have been diverted and was not never leaves",
      rules: [
        nft`type filter hook ${name(hook)} priority ${ESCAPE_PRIORITY}; policy accept;`,
        nft`${upper} vmap { ${lost} }`,
      ],
    })),
  ];
}

function divertChain(scope: number, { dns, tls, http }: GatePorts): Chain {
  return {
    name: `divert/${scope}`,
    about: `to the gate of scope ${scope}`,
    rules: [
      nft`meta mark set meta mark and ${hex32(MARK_FOREIGN_MASK)}`,
      nft`udp dport 53 redirect to :${dns}`,
      nft`tcp dport 53 redirect to :${dns}`,
      nft`tcp dport 443 redirect to :${tls}`,
      nft`tcp dport 80 redirect to :${http}`,
      nft`drop`,
    ],
  };
}
