/** The vocabulary of policy tests: a policy from YAML, a flow from one line of text. */
import assert from "node:assert/strict";
import { checkPolicy } from "../../src/core/policy/check.ts";
import { parseFlow } from "../../src/core/policy/flow-input.ts";
import type { Flow } from "../../src/core/net/flow.ts";
import type { ResolvedPolicy } from "../../src/core/policy/resolved.ts";

export const NOW_MS = Date.UTC(2026, 10, 21, 12);

/** Returns the resolved policy of a YAML text; fails the test when it has an error. */
export function policyOf(yaml: string, nowMs = NOW_MS): ResolvedPolicy {
  const check = checkPolicy(yaml, { nowMs, readSets: () => ({ sets: new Map(), diagnostics: [] }) });
  const errors = check.diagnostics.filter(({ severity }) => severity === "error");
  assert.deepEqual(errors, []);
  assert.ok(check.policy !== null);
  return check.policy;
}

/**
 * Returns a flow: `203.0.113.9 -> 22`, `203.0.113.9@lan -> udp/53`, `2001:db8::1 -> icmp` (inbound), or
 * `agent => api.github.com:443`, `agent => 192.0.2.1:53/udp`, `agent => api.x.com[192.0.2.1]:443` (outbound).
 */
export function flowOf(text: string): Flow {
  const inbound = /^(\S+?)(?:@(\S+))? -> (?:(tcp|udp)\/)?(\d+|icmp|other)$/.exec(text);
  const outbound = /^(\S+) => ([^[\s]+?)(?:\[(\S+)\])?:(\d+)(?:\/(tcp|udp))?$/.exec(text);
  const record =
    inbound !== null
      ? {
          direction: "inbound",
          from: inbound[1],
          zone: inbound[2] ?? "world",
          ...(Number.isNaN(Number(inbound[4]))
            ? { protocol: inbound[4] }
            : { protocol: inbound[3] ?? "tcp", port: Number(inbound[4]) }),
        }
      : {
          direction: "outbound",
          scope: outbound?.[1],
          host: outbound?.[2],
          address: outbound?.[3] ?? null,
          port: Number(outbound?.[4]),
          protocol: outbound?.[5] ?? "tcp",
        };
  const parsed = parseFlow(record);
  assert.ok(parsed.ok, text);
  return parsed.flow;
}
