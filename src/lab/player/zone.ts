/** Answers of the lab's resolver, made by the codec that the gate reads them with on the other side. */
import { parseQuery, RCODE, TYPE } from "../../core/dns/message.ts";
import { encodeReply } from "../../core/dns/reply.ts";
import { parseIp } from "../../core/net/ip.ts";

const TTL_SECONDS = 60;
const REPLY_BYTES_MAX = 1_232;

/** Returns the name that was asked for and the reply; an empty one for what is no query. */
export function addressesReply(
  query: Uint8Array,
  zone: Readonly<Record<string, readonly string[]>>,
): { readonly name: string; readonly reply: Uint8Array } {
  const parsed = parseQuery(query);
  if (!parsed.ok) return { name: "", reply: parsed.reply ?? new Uint8Array(0) };
  const { question } = parsed.query;
  const found = Object.hasOwn(zone, question.text) ? (zone[question.text] ?? []) : null;
  if (found === null) {
    const denial = { kind: "negative", rcode: RCODE.nxdomain, soaSeconds: 5, ede: null } as const;
    return { name: question.text, reply: encodeReply(parsed.query, denial, REPLY_BYTES_MAX) };
  }
  const family = question.type === TYPE.AAAA ? 6 : 4;
  const addresses = found.flatMap((text) => parseIp(text) ?? []).filter((ip) => ip.family === family);
  const reply = {
    kind: "addresses",
    chain: [],
    addresses,
    ttlSeconds: TTL_SECONDS,
    authenticData: false,
    ede: null,
  } as const;
  return { name: question.text, reply: encodeReply(parsed.query, reply, REPLY_BYTES_MAX) };
}
