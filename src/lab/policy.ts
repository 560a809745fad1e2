import { AGENT_UID, ATTACKER, BANNED, MODEL, OFFICE_GUEST, PORT, RATE, SITE } from "./address.ts";

/** The policies that the lab applies, as files. */
export interface LabPolicies {
  /** Inbound enforced, outbound only watched. */
  readonly watching: string;
  /** Both enforced. */
  readonly enforcing: string;
  /** Both enforced, outbound by name. */
  readonly names: string;
  /** A mistake of the operator: https is gone. It is never confirmed. */
  readonly mistake: string;
  /** An edit that nobody applies: it blocks the model. */
  readonly draft: string;
}

const HTTPS = `
  - id: web
    allow: https
    from: any
    why: the public web site of this server`;

const BY_MISTAKE = `
  - id: wrong
    allow: ${PORT.candidate}
    from: any
    why: opened by mistake, never confirmed`;

const NAMES = `
  - id: api
    allow: [${SITE.listed}, ${SITE.inside}]
    port: [80, 443]
    why: the model of this agent by its name
  - id: files
    allow: "*.${SITE.below.split(".").slice(-2).join(".")}"
    port: [80, 443]
    why: where its files are kept`;

const BLOCKED = `
  - id: no-model
    deny: [${MODEL.map((address) => JSON.stringify(address)).join(", ")}]
    why: a draft that nobody has applied`;

export const POLICIES: LabPolicies = {
  watching: policy("observe", HTTPS),
  enforcing: policy("enforce", HTTPS),
  names: policy("enforce", HTTPS, NAMES),
  mistake: policy("enforce", BY_MISTAKE),
  draft: policy("enforce", HTTPS, BLOCKED),
};

function policy(outbound: "observe" | "enforce", web: string, byName = ""): string {
  return `version: 1
mode: {inbound: enforce, outbound: ${outbound}}
scopes:
  agent: {user: ${AGENT_UID}}
sets:
  office: [198.51.100.0/24, "2001:db8:ff1::/48"]

inbound:
  - id: ssh
    allow: ssh
    from: any
    why: administration, keys only${web}
  - id: panel
    allow: [${PORT.panel}, udp/${PORT.telemetry}]
    from: office
    except: ${OFFICE_GUEST}
    why: the panel is for the office only
  - id: shop
    allow: ${PORT.published}
    from: office
    why: a container that is not public yet
  - id: signup
    allow: ${PORT.rated}
    from: any
    rate: ${RATE}/minute
    why: nobody needs more sign-ups than this
  - id: banned
    deny: any
    from: ${BANNED}
    why: attacked us in the past
  - id: silent
    deny: ${PORT.silent}
    from: any
    denial: drop
    why: scanners shall wait for nothing

outbound:
  - id: model
    allow: [${MODEL.map((address) => JSON.stringify(address)).join(", ")}]
    port: [${PORT.https}, ${PORT.slow}]
    why: the model that this agent uses
  - id: own-gateway
    allow: 127.0.0.1
    port: ${PORT.gateway}
    why: the agent talks to its own gateway${byName}

tests:
  - {inbound: {from: ${ATTACKER[0]}, port: ${PORT.gateway}}, expect: refuse}
  - {inbound: {from: ${ATTACKER[0]}, port: ${PORT.ssh}}, expect: accept}
`;
}
