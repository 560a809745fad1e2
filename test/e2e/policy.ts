import { GATEWAY_PORT } from "../../src/lab/openclaw/configuration.ts";
import { AGENT } from "./gateway.ts";
import { LISTED, MODEL } from "./internet/zone.ts";

/** The policy of these tests: the agent may reach its model and one site by name, and its own gateway. */
export function policy(outbound: "observe" | "enforce", more: readonly string[] = []): string {
  const names =
    more.length === 0 ? "" : `\n  - allow: [${more.join(", ")}]\n    why: asked for by this row alone`;
  return `version: 1
mode: {inbound: observe, outbound: ${outbound}}
scopes:
  agent: {user: ${AGENT}}
inbound: []
outbound:
  - id: model
    allow: ${MODEL}
    why: the model that this agent uses
  - id: listed
    allow: ${LISTED}
    port: [80, 443]
    why: what this agent was built to reach
  - id: own-gateway
    allow: [127.0.0.1, "::1"]
    port: ${GATEWAY_PORT}
    why: OpenClaw talks to its own gateway${names}
`;
}
