import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import type { Ip } from "../net/ip.ts";
import { parseQuery, type Query, RCODE, TYPE } from "./message.ts";
import { encodeReply, type Reply, replyLimitBytes } from "./reply.ts";
import { frameOf, parseTcpFrames } from "./tcp-frame.ts";

/** c-ares, which is what Node resolves with, asks a server made of this codec. */
const resolver = new Resolver({ timeout: 2_000, tries: 2 });
const udp = createSocket("udp4");
const asked: Query[] = [];
const tcp = createServer((socket) => {
  const frames = parseTcpFrames(1_024);
  socket.on("data", (chunk) => {
    for (const message of frames.push(chunk).messages)
      socket.write(frameOf(answer(message, "tcp") ?? assert.fail()));
  });
});

before(async () => {
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  udp.on("message", (bytes, { port: from, address }) => {
    const reply = answer(bytes, "udp");
    if (reply !== null) udp.send(reply, from, address);
  });
  resolver.setServers([`127.0.0.1:${port}`]);
});

after(() => {
  resolver.cancel();
  udp.close();
  tcp.close();
});

function answer(bytes: Uint8Array, transport: "udp" | "tcp"): Uint8Array | null {
  const parsed = parseQuery(bytes);
  if (!parsed.ok) return parsed.reply;
  asked.push(parsed.query);
  return encodeReply(parsed.query, replyTo(parsed.query), replyLimitBytes(parsed.query, transport));
}

const ede = { code: 15, text: "seawall: outbound default" };
const listed = (count: number): Ip[] =>
  Array.from({ length: count }, (_, at) => ({ family: 4, value: 0xc612_0000 + at }));

function replyTo({ question }: Query): Reply {
  const some = { kind: "addresses", ttlSeconds: 77, authenticData: false, ede: null, chain: [] } as const;
  switch (question.text) {
    case "two.example":
      return { ...some, addresses: [...listed(2), { family: 6, value: 0x2001_0db8n << 96n }] };
    case "alias.example":
      return { ...some, chain: ["edge.cdn.test", "x.edge.cdn.test"], addresses: listed(1) };
    case "many.example":
      return { ...some, addresses: listed(400) };
    case "empty.example":
      return { kind: "empty", ede };
    case "nodata.example":
      return { kind: "negative", rcode: RCODE.noerror, soaSeconds: 5, ede };
    case "failing.example":
      return { kind: "failure", rcode: RCODE.servfail, ede };
    case "refused.example":
      return { kind: "failure", rcode: RCODE.refused, ede };
    default:
      return { kind: "negative", rcode: RCODE.nxdomain, soaSeconds: 5, ede };
  }
}

test("c-ares reads our addresses and their TTL", async () => {
  const four = await resolver.resolve4("two.example", { ttl: true });
  assert.deepEqual(four, [
    { address: "198.18.0.0", ttl: 77 },
    { address: "198.18.0.1", ttl: 77 },
  ]);
  assert.deepEqual(await resolver.resolve6("two.example"), ["2001:db8::"]);
});

test("c-ares follows our chain of aliases", async () => {
  assert.deepEqual(await resolver.resolve4("alias.example"), ["198.18.0.0"]);
});

test("c-ares asks again over TCP for what does not fit, and reads all of it", async () => {
  assert.equal((await resolver.resolve4("many.example")).length, 400);
  assert.equal(asked.filter(({ question }) => question.text === "many.example").length, 2);
});

const CODES = [
  ["other.example", "ENOTFOUND"],
  ["nodata.example", "ENODATA"],
  ["empty.example", "ENODATA"],
  ["failing.example", "ESERVFAIL"],
  ["refused.example", "EREFUSED"],
] as const;
for (const [name, code] of CODES) {
  test(`c-ares says ${code} of ${name}`, async () => {
    await assert.rejects(resolver.resolve4(name), { code });
  });
}

test("a denial is the last word: c-ares asks once", async () => {
  await assert.rejects(resolver.resolveTxt("denied-once.example"), { code: "ENOTFOUND" });
  const seen = asked.filter(({ question }) => question.text === "denied-once.example");
  assert.deepEqual(
    seen.map(({ question }) => question.type),
    [TYPE.TXT],
  );
});
