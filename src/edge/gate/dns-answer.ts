/** One DNS query of a scope in, one reply out. Nothing goes upstream for a name that is not listed. */
import { encodeForwarded, forwardAnyType } from "../../core/dns/forward.ts";
import { CLASS_IN, parseQuery, type Query, RCODE, TYPE } from "../../core/dns/message.ts";
import { encodeReply, EXTENDED_ERROR, replyLimitBytes, type Reply } from "../../core/dns/reply.ts";
import { type Hostname, parseHostname } from "../../core/net/hostname.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { admit, type Asked, gateDecision, type GateScope, refuse } from "./scope.ts";
import { PRIVATE_ADDRESS } from "./named-dial.ts";
import type { Resolution } from "./resolver.ts";

type Transport = "udp" | "tcp";

/** Returns the reply, or null where silence is right (RFC 1035 4.1.1: what is no query is not answered). */
export async function answerQuery(
  scope: GateScope,
  bytes: Uint8Array,
  transport: Transport,
): Promise<Uint8Array | null> {
  const parsed = parseQuery(bytes);
  if (!parsed.ok) return parsed.reply;
  const { query } = parsed;
  const limit = replyLimitBytes(query, transport);
  const reply = await answer(scope, query, limit);
  return reply instanceof Uint8Array ? reply : encodeReply(query, reply, limit);
}

async function answer(scope: GateScope, query: Query, limit: number): Promise<Uint8Array | Reply> {
  const { question } = query;
  if (question.class !== CLASS_IN) return { kind: "failure", rcode: RCODE.refused, ede: null };
  if (question.text === "localhost") return LOCALHOST;
  const judge = scope.judge();
  const host = parseHostname(question.text);
  if (!host.ok) {
    if (judge.watching) return forward(scope, query, question.text as Hostname, limit);
    return refused(scope, null, invalidName(question.text));
  }
  const verdict = judge.judgeName(host.name, scope.nowMs());
  switch (verdict.kind) {
    case "listed":
      if (verdict.observed !== null) admit(scope, asked(host.name), verdict.observed);
      return resolve(scope, query, host.name, limit);
    case "ancestor":
      return { kind: "negative", rcode: RCODE.noerror, soaSeconds: SOA_SECONDS, ede: null };
    case "refused":
      return refused(scope, host.name, verdict.decision, verdict.isAncestor);
  }
}

/** LIMIT: what is refused now may be allowed in a moment. */
const SOA_SECONDS = 5;

const LOCALHOST: Reply = {
  kind: "addresses",
  chain: [],
  addresses: [
    { family: 4, value: 0x7f00_0001 },
    { family: 6, value: 1n },
  ],
  ttlSeconds: 60,
  authenticData: false,
  ede: null,
};

function invalidName(text: string): Decision {
  const why = `\`${text.slice(0, 64)}\` is no host name`;
  return { verdict: "refuse", observed: false, rule: null, reason: "invalid-host", why };
}

function asked(host: Hostname | null): Asked {
  return { door: "dns", host, address: null, port: 53, protocol: "udp" };
}

/**
 * NXDOMAIN is final for every client; REFUSED and SERVFAIL make them try again for seconds. It also denies what is
 * below the name (RFC 8020), so where that is listed there are just no records.
 */
function refused(scope: GateScope, host: Hostname | null, decision: Decision, isAncestor = false): Reply {
  const { id } = refuse(scope, asked(host), decision);
  const text = `seawall ${id} ${decision.reason}: ${decision.why}`;
  const ede = { code: EXTENDED_ERROR.filtered, text };
  // An address record of a listed name may still exist: the name itself must not be denied for another type.
  const exists = isAncestor || decision.reason === "record-type";
  const rcode = exists ? RCODE.noerror : RCODE.nxdomain;
  return { kind: "negative", rcode, soaSeconds: SOA_SECONDS, ede };
}

async function resolve(
  scope: GateScope,
  query: Query,
  host: Hostname,
  limit: number,
): Promise<Uint8Array | Reply> {
  const { type } = query.question;
  const judge = scope.judge();
  if (!judge.watching) {
    // SECURITY: without these records there is no Encrypted Client Hello, and the name can be read (RFC 9460).
    if (type === TYPE.HTTPS || type === TYPE.SVCB) return { kind: "empty", ede: null };
    const problem = typeProblem(type, judge.isOpenEnded(host));
    if (problem !== null) return refused(scope, host, gateDecision("record-type", problem));
  }
  return forward(scope, query, host, limit);
}

/** SECURITY: below a wildcard anybody chooses the labels, and records like TXT carry the answers of a tunnel. */
function typeProblem(type: number, openEnded: boolean): string | null {
  if (type === TYPE.A || type === TYPE.AAAA) return null;
  if (type === TYPE.ANY || type === TYPE.NULL) return "this record type is not answered";
  return openEnded ? "below a wildcard only addresses are answered" : null;
}

async function forward(
  scope: GateScope,
  query: Query,
  host: Hostname,
  limit: number,
): Promise<Uint8Array | Reply> {
  const { question, edns, checkingDisabled } = query;
  const resolution = await scope.resolver.resolve({
    host,
    type: question.type,
    dnssecOk: edns?.dnssecOk === true,
    checkingDisabled,
  });
  if (resolution.kind === "failed") {
    const { id } = refuse(scope, asked(host), gateDecision("unresolved", resolution.why));
    const ede = { code: EXTENDED_ERROR.networkError, text: `seawall ${id}: ${resolution.why}` };
    return { kind: "failure", rcode: RCODE.servfail, ede };
  }
  const { watching } = scope.judge();
  if (watching && resolution.bytes !== null && question.type !== TYPE.A && question.type !== TYPE.AAAA) {
    const whole = forwardAnyType(query, resolution.bytes, resolution.bytes.length, limit);
    if (whole !== undefined) return whole;
  }
  return answered(scope, query, host, resolution, limit);
}

function answered(
  scope: GateScope,
  query: Query,
  host: Hostname,
  resolution: Extract<Resolution, { kind: "answered" }>,
  limit: number,
): Uint8Array | Reply {
  const { answer: found, addresses, ttlSeconds, refused: left } = resolution;
  const { watching } = scope.judge();
  if (left > 0 && addresses.length === 0 && !watching) {
    return refused(scope, host, PRIVATE_ADDRESS);
  }
  const keep = new Set(addresses);
  const keepAddress = watching
    ? () => true
    : (ip: (typeof addresses)[number]) =>
        [...keep].some((kept) => kept.family === ip.family && kept.value === ip.value);
  const ttl = found.addresses.length > 0 ? ttlSeconds : null;
  return encodeForwarded(query, found, keepAddress, ttl, limit);
}
