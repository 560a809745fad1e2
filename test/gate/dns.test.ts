/** The DNS door over real sockets, with a real resolver behind it. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RCODE, read16, TYPE } from "../../src/core/dns/message.ts";
import { frameOf } from "../../src/core/dns/tcp-frame.ts";
import type { Place } from "../../src/edge/gate/tcp-door.ts";
import { askTcp, askUdp, exchangeTcp, query, told, udpClient } from "./dns-client.ts";
import { addresses, NO_SUCH_RECORD, SERVER_FAILURE } from "./name-server.ts";
import { lastRefusal, openRoom, reasons, type Room, type RoomOptions } from "./room.ts";

const NAMES = {
  "api.example.com": ["93.184.216.34", "2606:4700::6810:1"],
  "inner.example.com": ["10.0.0.5"],
  "mixed.example.com": ["93.184.216.34", "10.0.0.5"],
  "example.org": ["93.184.216.35"],
};
const RULES = ["allow: [api.example.com, inner.example.com, mixed.example.com]"];

let room: Room;
let door: Place;
async function open(options: Partial<RoomOptions> = {}): Promise<void> {
  room = await openRoom({ rules: RULES, names: NAMES, ...options });
  door = await room.openDns();
}
afterEach(() => room.close());

const TRANSPORTS = [
  ["UDP", askUdp],
  ["TCP", askTcp],
] as const;

for (const [transport, ask] of TRANSPORTS) {
  describe(`DNS over ${transport}`, () => {
    test("a listed name is answered with its real addresses, pinned before the reply leaves", async () => {
      await open();
      let pinnedAt = -1;
      let repliedAt = -1;
      let step = 0;
      room.pins.answer = async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        pinnedAt = step++;
        return true;
      };
      const { addresses: got } = await ask(door, "api.example.com");
      repliedAt = step++;
      assert.deepEqual(got, ["93.184.216.34"]);
      assert.deepEqual([pinnedAt, repliedAt], [0, 1]);
      assert.deepEqual(
        room.pins.wishes.map(({ scope, host, seconds }) => [scope, host, seconds]),
        [["agent", "api.example.com", 330]],
      );
    });

    test("an IPv6 address is answered too", async () => {
      await open();
      const { addresses: got } = await ask(door, "api.example.com", { type: TYPE.AAAA });
      assert.deepEqual(got, ["2606:4700::6810:1"]);
    });

    test("the case in which a client wrote the name is kept", async () => {
      await open();
      // `told` fails for a reply in any other case.
      const { addresses: got } = await ask(door, "aPi.eXAMPLE.cOm");
      assert.deepEqual(got, ["93.184.216.34"]);
    });

    test("DNS tunnel: nothing goes upstream for a name that is not listed", async () => {
      await open();
      for (const name of ["secret.evil.org", "x.api.example.com", "example.org"]) {
        const { answer } = await ask(door, name);
        assert.equal(answer.rcode, RCODE.nxdomain, name);
        assert.ok(answer.ttlSeconds <= 5, name);
      }
      assert.deepEqual(room.resolver.heard, []);
      assert.deepEqual(reasons(room), ["default", "default", "default"]);
    });

    test("the refusal carries the id that is told", async () => {
      await open();
      const { why } = await ask(door, "example.org");
      assert.match(why, new RegExp(`^seawall ${lastRefusal(room).id} default: `));
    });

    test("a name above a listed one exists and has no records", async () => {
      await open();
      const { answer } = await ask(door, "example.com");
      assert.deepEqual([answer.rcode, answer.addresses.length], [RCODE.noerror, 0]);
      assert.deepEqual(room.resolver.heard, []);
    });

    test("a denied name above a listed one has no records, so that what is below it still has", async () => {
      await open({ rules: [...RULES, "deny: example.com"] });
      const { answer, why } = await ask(door, "example.com");
      assert.equal(answer.rcode, RCODE.noerror);
      assert.match(why, /denied/);
    });

    test("rebinding: a private address is refused with its reason", async () => {
      await open();
      const { answer, why } = await ask(door, "inner.example.com");
      assert.deepEqual([answer.rcode, answer.addresses.length], [RCODE.nxdomain, 0]);
      assert.match(why, /private-address/);
      assert.deepEqual(room.pins.wishes, []);
    });

    test("rebinding: of a mixed answer only the public address is passed on", async () => {
      await open();
      const { addresses: got } = await ask(door, "mixed.example.com");
      assert.deepEqual(got, ["93.184.216.34"]);
      assert.deepEqual(
        room.pins.wishes.flatMap((wish) => wish.addresses.length),
        [1],
      );
    });

    test("Encrypted Client Hello: HTTPS and SVCB are empty and nobody is asked", async () => {
      await open();
      for (const type of [TYPE.HTTPS, TYPE.SVCB]) {
        const { answer } = await ask(door, "api.example.com", { type });
        assert.deepEqual([answer.rcode, answer.records.length], [RCODE.noerror, 0]);
      }
      assert.deepEqual(room.resolver.heard, []);
    });

    test("DNS tunnel: NULL and ANY of a listed name are not answered", async () => {
      await open();
      for (const type of [TYPE.NULL, TYPE.ANY]) {
        const { answer, why } = await ask(door, "api.example.com", { type });
        assert.equal(answer.rcode, RCODE.noerror);
        assert.match(why, /record-type/);
      }
      assert.deepEqual(room.resolver.heard, []);
    });

    test("DNS tunnel: below a wildcard TXT, MX and SRV are not answered", async () => {
      await open({ rules: ["allow: '*.example.com'"] });
      for (const type of [TYPE.TXT, TYPE.MX, TYPE.SRV, TYPE.CNAME]) {
        const { answer, why } = await ask(door, "c2vjcmv0.example.com", { type });
        assert.equal(answer.rcode, RCODE.noerror);
        assert.match(why, /record-type/);
      }
      assert.deepEqual(room.resolver.heard, []);
    });

    test("a text record of a name that is listed exactly is asked for", async () => {
      await open();
      await ask(door, "api.example.com", { type: TYPE.TXT });
      assert.deepEqual(
        room.resolver.heard.map(({ query: { question } }) => question.type),
        [TYPE.TXT],
      );
      assert.deepEqual(room.pins.wishes, []);
    });

    test("localhost is this host, and nobody is asked", async () => {
      await open();
      assert.deepEqual((await ask(door, "localhost")).addresses, ["127.0.0.1"]);
      assert.deepEqual((await ask(door, "localhost", { type: TYPE.AAAA })).addresses, ["::1"]);
      const { answer } = await ask(door, "localhost", { type: TYPE.TXT });
      assert.deepEqual([answer.rcode, answer.records.length], [RCODE.noerror, 0]);
      assert.deepEqual(room.resolver.heard, []);
    });

    test("an address as a name is refused, and nobody is asked", async () => {
      await open();
      for (const name of ["198.18.0.7", "93.184.216.34", "2130706433", "0x7f.1"]) {
        const { answer, why } = await ask(door, name);
        assert.equal(answer.rcode, RCODE.nxdomain, name);
        assert.match(why, /invalid-host/);
      }
      assert.deepEqual(room.resolver.heard, []);
    });

    test("another class than IN is refused", async () => {
      await open();
      const message = query("api.example.com", { class: 3 });
      const client = udpClient(door);
      const reply =
        transport === "UDP" ? await client.ask(message) : (await exchangeTcp(door, [frameOf(message)], 1))[0];
      client.close();
      assert.ok(reply !== undefined);
      assert.equal(read16(reply, 2) & 15, RCODE.refused);
      assert.deepEqual(room.resolver.heard, []);
    });

    test("CNAME: the asked name decides, and every address at the end is judged", async () => {
      await open({ react: () => addresses(["93.184.216.34", "169.254.169.254"], 300, ["cdn.example.net"]) });
      const { answer, addresses: got } = await ask(door, "api.example.com");
      assert.deepEqual([answer.chain, got], [["cdn.example.net"], ["93.184.216.34"]]);
      assert.deepEqual(
        room.pins.wishes.map(({ host }) => host),
        ["api.example.com"],
      );
      assert.equal((await ask(door, "cdn.example.net")).answer.rcode, RCODE.nxdomain);
    });

    test("CNAME: a chain of more than eight is a failure", async () => {
      const chain = Array.from({ length: 9 }, (_, at) => `c${at}.example.net`);
      await open({ react: () => addresses(["93.184.216.34"], 300, chain) });
      const { answer } = await ask(door, "api.example.com");
      assert.deepEqual([answer.rcode, answer.addresses.length], [RCODE.servfail, 0]);
      assert.deepEqual(room.pins.wishes, []);
    });

    test("what the kernel does not take is not told to anybody", async () => {
      await open();
      room.pins.answer = () => false;
      const { answer, why } = await ask(door, "api.example.com");
      assert.deepEqual([answer.rcode, answer.addresses.length], [RCODE.servfail, 0]);
      assert.match(why, /kernel/);
    });

    test("a resolver that fails is a failure, with the id that is told", async () => {
      await open({ react: () => SERVER_FAILURE });
      const { answer } = await ask(door, "api.example.com");
      assert.equal(answer.rcode, RCODE.servfail);
    });

    test("a name that exists without this type is passed on as it is", async () => {
      await open({ react: () => NO_SUCH_RECORD });
      const { answer } = await ask(door, "api.example.com", { type: TYPE.AAAA });
      assert.deepEqual([answer.rcode, answer.addresses.length], [RCODE.noerror, 0]);
    });
  });
}

describe("what only one transport has", () => {
  const many = Array.from({ length: 60 }, (_, at) => `93.184.216.${at + 1}`);

  test("UDP without EDNS: more than 512 bytes is cut, and TCP has all of it", async () => {
    await open({ react: () => addresses(many) });
    const { answer, bytes } = await askUdp(door, "api.example.com", { udpSize: null });
    assert.ok(answer.truncated && bytes.length <= 512);
    assert.equal((await askTcp(door, "api.example.com", { udpSize: null })).addresses.length, 60);
  });

  test("UDP with EDNS: the client's size counts, and never less than 512", async () => {
    await open({ react: () => addresses(many) });
    assert.equal((await askUdp(door, "api.example.com", { udpSize: 1_232 })).addresses.length, 60);
    assert.ok((await askUdp(door, "api.example.com", { udpSize: 600 })).answer.truncated);
    assert.ok((await askUdp(door, "api.example.com", { udpSize: 0 })).bytes.length <= 512);
    const three = addresses(many.slice(0, 3));
    room.resolver.react = () => three;
    room.clock.nowMs += 3_600_000;
    assert.equal((await askUdp(door, "api.example.com", { udpSize: 0 })).addresses.length, 3);
  });

  test("UDP amplification: however much a client says it takes, a reply stays in one unfragmented packet", async () => {
    const most = Array.from({ length: 120 }, (_, at) => `93.184.216.${at + 1}`);
    await open({ react: () => addresses(most) });
    const { answer, bytes } = await askUdp(door, "api.example.com", { udpSize: 65_535 });
    assert.ok(answer.truncated && bytes.length <= 1_232);
    assert.equal((await askTcp(door, "api.example.com")).addresses.length, 120);
  });

  test("UDP: what is no query is not answered, and the door goes on", async () => {
    await open();
    const client = udpClient(door);
    const reply = query("api.example.com", { id: 7 });
    reply[2] = (reply[2] ?? 0) | 0x80;
    for (const bytes of [new Uint8Array(0), new Uint8Array(11), reply]) client.send(bytes);
    await client.ask(query("api.example.com", { id: 8 }));
    assert.deepEqual(
      client.received.map((bytes) => read16(bytes, 0)),
      [8],
    );
    client.close();
  });

  test("TCP: queries in one segment are all answered, each with its id", async () => {
    await open();
    const messages = Array.from({ length: 40 }, (_, id) =>
      query(id % 2 === 0 ? "api.example.com" : "example.org", { id }),
    );
    const replies = await exchangeTcp(door, [Buffer.concat(messages.map(frameOf))], messages.length);
    const ids = replies.map((bytes) => read16(bytes, 0)).sort((a, b) => a - b);
    assert.deepEqual(
      ids,
      messages.map((_, id) => id),
    );
  });

  test("TCP: an answer that is there does not wait for one that is not", async () => {
    const release: (() => void)[] = [];
    await open({
      react: async ({ query: { question } }) => {
        if (question.text === "mixed.example.com")
          await new Promise<void>((resolve) => release.push(resolve));
        return addresses(["93.184.216.34"]);
      },
    });
    const slow = query("mixed.example.com", { id: 1 });
    const quick = query("api.example.com", { id: 2 });
    const replies = await exchangeTcp(door, [frameOf(slow), frameOf(quick)], 1);
    assert.deepEqual(
      replies.map((bytes) => read16(bytes, 0)),
      [2],
    );
    for (const end of release) end();
  });

  test("TCP: a query that comes byte by byte is answered", async () => {
    await open();
    const message = query("api.example.com");
    const pieces = Array.from(frameOf(message), (byte) => Uint8Array.of(byte));
    const [reply] = await exchangeTcp(door, pieces, 1);
    assert.ok(reply !== undefined);
    assert.deepEqual(told(message, reply).addresses, ["93.184.216.34"]);
  });

  test("TCP: a length that no query has ends the connection without an answer", async () => {
    await open();
    for (const prefix of [
      [0, 0],
      [0, 11],
      [0xff, 0xff],
    ]) {
      assert.deepEqual(await exchangeTcp(door, [Uint8Array.from([...prefix, 1, 2, 3])], 1), []);
    }
  });

  test("TCP: a client that asks more than it takes is ended, and the next one is served", async () => {
    await open({ react: () => "silent" });
    const messages = Array.from({ length: 200 }, (_, id) => frameOf(query("api.example.com", { id })));
    assert.deepEqual(await exchangeTcp(door, [Buffer.concat(messages)], 200), []);
    room.resolver.react = () => addresses(["93.184.216.34"]);
    assert.deepEqual((await askTcp(door, "mixed.example.com")).addresses, ["93.184.216.34"]);
  });
});
