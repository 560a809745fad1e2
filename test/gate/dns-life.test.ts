/** The DNS door over time: caching, coalescing, floods, resolvers that fail, policies that change. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RCODE, TYPE } from "../../src/core/dns/message.ts";
import { ANSWER_SECONDS_MAX } from "../../src/core/gate/answer-cache.ts";
import { pinSeconds } from "../../src/core/gate/binding.ts";
import type { Place } from "../../src/edge/gate/tcp-door.ts";
import { QUERIES_MAX } from "../../src/edge/gate/dns-door.ts";
import { SCOPE_ASKING_MAX } from "../../src/edge/gate/resolver.ts";
import { createUpstream } from "../../src/edge/gate/upstream.ts";
import { askUdp, query, type UdpClient, udpClient } from "./dns-client.ts";
import { addresses, NO_SUCH_NAME, SERVER_FAILURE, startNameServer, type Reaction } from "./name-server.ts";
import { turns, until } from "./patience.ts";
import { openRoom, reasons, type Room, type RoomOptions } from "./room.ts";

const NAME = "api.example.com";
const RULES = [`allow: ${NAME}`];
const ANSWER = addresses(["93.184.216.34"]);

let room: Room;
let door: Place;
async function open(options: Partial<RoomOptions> = {}): Promise<void> {
  room = await openRoom({ rules: RULES, react: () => ANSWER, ...options });
  door = await room.openDns();
}
const clients: UdpClient[] = [];
function client(place: Place): UdpClient {
  const made = udpClient(place);
  clients.push(made);
  return made;
}
afterEach(async () => {
  for (const one of clients.splice(0)) one.close();
  await room.close();
});

const asked = (): number => room.resolver.heard.length;

/** A reaction that the test ends. */
function held(): { promise: Promise<Reaction>; give: (reaction: Reaction) => void } {
  const { promise, resolve } = Promise.withResolvers<Reaction>();
  return { promise, give: resolve };
}

describe("what is kept", () => {
  test("an answer is given again until its TTL is over, with what is left of it", async () => {
    await open();
    assert.equal((await askUdp(door, NAME)).answer.ttlSeconds, 300);
    room.clock.nowMs += 100_000;
    assert.equal((await askUdp(door, NAME)).answer.ttlSeconds, 200);
    assert.equal(asked(), 1);
    room.clock.nowMs += 200_000;
    assert.equal((await askUdp(door, NAME)).answer.ttlSeconds, 300);
    assert.equal(asked(), 2);
  });

  test("a TTL of a week is a TTL of an hour", async () => {
    await open({ react: () => addresses(["93.184.216.34"], 604_800) });
    assert.equal((await askUdp(door, NAME)).answer.ttlSeconds, ANSWER_SECONDS_MAX);
  });

  test("a TTL of zero is never kept, and is pinned all the same", async () => {
    await open({ react: () => addresses(["93.184.216.34"], 0) });
    for (let turn = 1; turn <= 3; turn += 1) {
      assert.deepEqual((await askUdp(door, NAME)).addresses, ["93.184.216.34"]);
      assert.equal(asked(), turn);
    }
    assert.deepEqual(
      room.pins.wishes.map(({ seconds }) => seconds),
      [90],
    );
  });

  test("that a name does not exist is kept for as long as the zone says, at most half a minute", async () => {
    await open({ react: () => NO_SUCH_NAME });
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal((await askUdp(door, NAME)).answer.rcode, RCODE.nxdomain);
    }
    assert.equal(asked(), 1);
    room.clock.nowMs += 5_001;
    await askUdp(door, NAME);
    assert.equal(asked(), 2);
  });

  test("a failure is never kept", async () => {
    await open({ react: () => SERVER_FAILURE });
    assert.equal((await askUdp(door, NAME)).answer.rcode, RCODE.servfail);
    room.resolver.react = () => ANSWER;
    assert.deepEqual((await askUdp(door, NAME)).addresses, ["93.184.216.34"]);
  });

  test("a question with DNSSEC is another question", async () => {
    await open();
    await askUdp(door, NAME, { dnssecOk: true });
    await askUdp(door, NAME);
    assert.deepEqual(
      room.resolver.heard.map((one) => one.query.edns?.dnssecOk),
      [true, false],
    );
  });

  test("dnsmasq's outage: an answer from the cache has a pin that outlives it", async () => {
    await open();
    const untilMs = (): number => {
      const last = room.pins.wishes.at(-1);
      assert.ok(last !== undefined);
      return wishedMs + last.seconds * 1_000;
    };
    let wishedMs = room.clock.nowMs;
    room.pins.answer = () => {
      wishedMs = room.clock.nowMs;
      return true;
    };
    for (let second = 0; second < 1_200; second += 7) {
      room.clock.nowMs += 7_000;
      const { answer } = await askUdp(door, NAME);
      assert.ok(room.clock.nowMs + answer.ttlSeconds * 1_000 <= untilMs(), `after ${second} s`);
    }
  });

  test("what the kernel lost is pinned anew for an answer from the cache", async () => {
    await open();
    await askUdp(door, NAME);
    room.scope.resolver.forgetPins();
    await askUdp(door, NAME);
    assert.deepEqual([asked(), room.pins.wishes.length], [1, 2]);
  });
});

describe("many at once", () => {
  test("a hundred clients that ask the same are one question to the resolver", async () => {
    const gate = held();
    await open({ react: () => gate.promise });
    const waiting = Array.from({ length: 100 }, () => askUdp(door, NAME));
    await until(
      () => asked() > 0,
      () => "nobody asked",
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.give(ANSWER);
    for (const { addresses: got } of await Promise.all(waiting)) assert.deepEqual(got, ["93.184.216.34"]);
    assert.equal(asked(), 1);
  });

  test("a name in another case is the same question", async () => {
    await open();
    await askUdp(door, NAME);
    await askUdp(door, NAME.toUpperCase());
    assert.equal(asked(), 1);
  });

  test("flood: over the limit nothing is answered, and the door is there again when it is over", async () => {
    const gate = held();
    await open({ rules: ["allow: '*.example.com'"], react: () => gate.promise });
    const asker = client(door);
    // In batches, so that the sockets' own buffers are not what loses them.
    for (let id = 0; id < QUERIES_MAX + 200; id += 1) {
      asker.send(query(`n${id}.example.com`, { id }));
      if (id % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // A slow machine asks again for what no answer came to in time.
    const names = (): number => new Set(room.resolver.heard.map((one) => one.query.question.text)).size;
    await until(
      () => names() === QUERIES_MAX,
      () => `${names()} questions instead of ${QUERIES_MAX}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(names(), QUERIES_MAX);
    assert.ok(reasons(room).includes("limit"), "the limit is not told");
    assert.equal(reasons(room).filter((reason) => reason === "limit").length, 1);
    gate.give(ANSWER);
    await until(
      () => asker.received.length === QUERIES_MAX,
      () => `${asker.received.length} replies`,
    );
    assert.deepEqual((await askUdp(door, "later.example.com")).addresses, ["93.184.216.34"]);
  });

  test("flood: names of one scope that no resolver answers leave room for those of another", async () => {
    const gate = held();
    await open({
      rules: ["allow: '*.example.com'", `allow: ${NAME}, scope: helper`],
      react: ({ query: { question } }) => (question.text === NAME ? ANSWER : gate.promise),
    });
    const many = Array.from({ length: SCOPE_ASKING_MAX + 1 }, (_, at) =>
      room.scope.resolver.resolve({ ...lookUp(), host: `n${at}.example.com` as never }),
    );
    const last = await many.at(-1);
    // The test's own resolver must not be what loses the next question.
    for (let before = -1; before !== asked(); await turns(500)) before = asked();
    assert.deepEqual(last, { kind: "failed", why: "too many names are being asked for at once" });
    const other = await room.gate.scope("helper").resolver.resolve(lookUp());
    assert.equal(other.kind, "answered");
    gate.give(ANSWER);
  });

  test("flood: one scope at its limit does not keep another from asking", async () => {
    const gate = held();
    await open({
      rules: ["allow: '*.example.com'", `allow: ${NAME}, scope: helper`],
      react: ({ query: { question } }) => (question.text === NAME ? ANSWER : gate.promise),
    });
    const other = await room.openDns(room.gate.scope("helper"));
    const asker = client(door);
    for (let id = 0; id < QUERIES_MAX + 50; id += 1) {
      asker.send(query(`n${id}.example.com`, { id }));
      if (id % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(
      () => asked() >= QUERIES_MAX,
      () => `${asked()} questions`,
    );
    assert.deepEqual((await askUdp(other, NAME)).addresses, ["93.184.216.34"]);
    gate.give(ANSWER);
  });
});

describe("resolvers", () => {
  const ask = (upstream: ReturnType<typeof createUpstream>, name = NAME) =>
    upstream.ask({ name, type: TYPE.A, dnssecOk: false, checkingDisabled: false });

  test("one that is silent is passed over, and from then on the other is asked first", async () => {
    await open({ react: () => "silent" });
    const second = await startNameServer(() => ANSWER);
    const upstream = createUpstream([room.resolver, second]);
    for (let turn = 1; turn <= 3; turn += 1) {
      assert.ok((await ask(upstream)).ok);
      assert.deepEqual([asked(), second.heard.length], [1, turn]);
    }
    upstream.close();
    await second.close();
  });

  test("one that fails is passed over at once", async () => {
    await open({ react: () => SERVER_FAILURE });
    const second = await startNameServer(() => ANSWER);
    const upstream = createUpstream([room.resolver, second]);
    const reply = await ask(upstream);
    assert.ok(reply.ok && reply.answer.addresses.length === 1);
    upstream.close();
    await second.close();
  });

  test("when all are silent the client is told that, with the id", async () => {
    await open({ react: () => "silent" });
    const { answer, bytes } = await askUdp(door, NAME);
    assert.equal(answer.rcode, RCODE.servfail);
    assert.match(Buffer.from(bytes).toString("latin1"), /seawall sw-[a-z2-9]{20}: no resolver answered/);
    assert.deepEqual(reasons(room), ["unresolved"]);
  });

  test("what is cut over UDP is asked again over TCP", async () => {
    const many = Array.from({ length: 100 }, (_, at) => `93.184.216.${at + 1}`);
    await open({ react: () => addresses(many) });
    assert.equal((await room.scope.resolver.resolve(lookUp())).kind, "answered");
    assert.deepEqual(
      room.resolver.heard.map(({ transport }) => transport),
      ["udp", "tcp"],
    );
  });

  test("cache poisoning: a reply in another case, with another id or question is not taken", async () => {
    await open({
      react: ({ query: asking, spelled }) => {
        const forged = (name: string, id: number, type: number = TYPE.A): Uint8Array => {
          const bytes = query(name, { id, type });
          bytes[2] = 0x81;
          bytes[3] = 0x80;
          return bytes;
        };
        const right = forged(spelled, asking.id);
        return [
          forged(
            spelled.toUpperCase() === spelled ? spelled.toLowerCase() : spelled.toUpperCase(),
            asking.id,
          ),
          forged(spelled, asking.id ^ 1),
          forged("www.example.com", asking.id),
          forged(spelled, asking.id, TYPE.TXT),
          right,
        ];
      },
    });
    const { answer } = await askUdp(door, NAME);
    assert.deepEqual([answer.rcode, answer.addresses.length], [RCODE.noerror, 0]);
    assert.equal(asked(), 1);
  });

  test("cache poisoning: ids, ports and case differ from question to question", async () => {
    await open({ rules: ["allow: '*.example.com'"] });
    for (let turn = 0; turn < 32; turn += 1) await askUdp(door, `name${turn}.example.com`);
    const { heard } = room.resolver;
    assert.ok(new Set(heard.map((one) => one.query.id)).size > 24);
    assert.ok(new Set(heard.map(({ spelled }) => spelled.slice(-11))).size > 24);
  });
});

function lookUp() {
  return { host: NAME as never, type: TYPE.A, dnssecOk: false, checkingDisabled: false };
}

describe("change", () => {
  test("a scope's door that closes with a query on its way harms nobody", async () => {
    const gate = held();
    await open({ react: () => gate.promise });
    const asker = client(door);
    asker.send(query(NAME));
    await until(
      () => asked() === 1,
      () => "nobody asked",
    );
    room.closeDoors();
    gate.give(ANSWER);
    // The runner fails this test for a rejection that nobody handles.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const again = await room.openDns();
    assert.deepEqual((await askUdp(again, NAME)).addresses, ["93.184.216.34"]);
  });

  test("a name that the next policy does not list is refused at once, cached or not", async () => {
    await open();
    await askUdp(door, NAME);
    await room.setPolicy(["allow: other.example.org"]);
    assert.equal((await askUdp(door, NAME)).answer.rcode, RCODE.nxdomain);
    assert.equal(asked(), 1);
  });

  test("what clients were given is pinned again for the next policy", async () => {
    await open();
    await askUdp(door, NAME);
    await room.setPolicy([...RULES, "allow: other.example.org"]);
    assert.deepEqual(
      room.pins.wishes.map(({ host }) => host),
      [NAME, NAME],
    );
  });

  test("pins do not grow longer with every change of the policy", async () => {
    await open({ react: () => addresses(["93.184.216.34"], ANSWER_SECONDS_MAX) });
    await askUdp(door, NAME);
    for (let turn = 0; turn < 20; turn += 1) await room.setPolicy(RULES);
    const seconds = room.pins.wishes.map((wish) => wish.seconds);
    assert.equal(seconds.length, 21);
    assert.equal(Math.max(...seconds), pinSeconds(ANSWER_SECONDS_MAX));
  });

  test("a rule that expires takes its name with it", async () => {
    await open({ rules: [`allow: ${NAME}, expires: 2026-11-30`] });
    assert.deepEqual((await askUdp(door, NAME)).addresses, ["93.184.216.34"]);
    room.clock.nowMs = Date.UTC(2026, 11, 1);
    assert.equal((await askUdp(door, NAME)).answer.rcode, RCODE.nxdomain);
  });
});
