/** TLS through both doors: what a tunnel was asked for, or where a connection was sent, must be what the TLS names. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import tls from "node:tls";
import { FIRST_BYTES_WAIT_MS } from "../../src/edge/gate/first-bytes.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import type { Place } from "../../src/edge/gate/tcp-door.ts";
import type { Destination } from "../../src/edge/gate/tls-door.ts";
import { DENIED_ALERT, hello, helloWith } from "./hello.ts";
import { turns, until } from "./patience.ts";
import { lastRefusal, openRoom, reasons, type Room } from "./room.ts";
import { freshAddress, listen } from "./place.ts";
import { type Wire, wireOf } from "./wire.ts";

const NAME = "api.example.com";
const OTHER = "other.example.com";
const PORT = 443;
const GREETING = "server speaks";

let room: Room;
let origin: Place;
let arrived: Wire[];
const HELLOS = new Map<string, Uint8Array>();

before(async () => {
  HELLOS.set("ordinary", await hello(NAME));
  HELLOS.set("TLS 1.2", await hello(NAME, { maxVersion: "TLSv1.2" }));
  HELLOS.set("post-quantum", await hello(NAME, { ecdhCurve: "X25519MLKEM768" }));
  HELLOS.set("nameless", await hello(null));
  HELLOS.set("other", await hello(OTHER));
});

function get(kind: string): Uint8Array {
  const bytes = HELLOS.get(kind);
  assert.ok(bytes !== undefined, kind);
  return bytes;
}

beforeEach(async () => {
  arrived = [];
  const names: Record<string, string[]> = {};
  // The names are private on purpose: the origin stands on the loopback.
  const rules = [
    `allow: [${NAME}, ${OTHER}], port: [443, 8443], private: true`,
    "deny: denied.example.com",
    `allow: 127.0.0.0/8, port: ${PORT}`,
  ];
  room = await openRoom({ rules, names });
  origin = await room.startServer((socket: Socket) => {
    const wire = wireOf(socket);
    arrived.push(wire);
    socket.write(GREETING);
  }, PORT);
  names[NAME] = [origin.address];
  names[OTHER] = [origin.address];
});
afterEach(() => room.close());

function destination(): Destination {
  const address = parseIp(origin.address);
  assert.ok(address !== undefined);
  return { address, port: PORT };
}

/** A connection that has come as far as the greeting of TLS. */
type Start = () => Promise<Wire>;

const throughDoor: Start = async () => room.connect(await room.openTls(destination()));
async function throughTunnel(to = `${NAME}:${PORT}`): Promise<Wire> {
  const wire = await room.connect(await room.openProxy());
  wire.send(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`);
  await wire.until(/^HTTP\/1\.1 200 [^\r]*\r\n\r\n/);
  return wire;
}

const WAYS: readonly (readonly [string, Start])[] = [
  ["the transparent door", throughDoor],
  ["a tunnel", () => throughTunnel()],
];

for (const [way, start] of WAYS) {
  describe(`TLS through ${way}`, () => {
    async function passes(bytes: Uint8Array): Promise<void> {
      const wire = await start();
      wire.send(bytes);
      await wire.until(new RegExp(`${GREETING}$`));
      const seen = await arrived[0]?.until((text) => text.length >= bytes.length);
      assert.equal(seen, Buffer.from(bytes).toString("latin1"));
      assert.deepEqual(reasons(room), []);
    }

    async function isRefused(bytes: Uint8Array, reason: string): Promise<void> {
      const wire = await start();
      wire.send(bytes);
      const { text } = await wire.ended();
      assert.ok(text.endsWith(DENIED_ALERT), JSON.stringify(text));
      assert.ok(!text.includes(GREETING), "the server was heard");
      assert.equal(lastRefusal(room).decision.reason, reason);
      assert.deepEqual(arrived.map((one) => one.text()).join(""), "");
    }

    for (const kind of ["ordinary", "TLS 1.2", "post-quantum"]) {
      test(`a ${kind} ClientHello reaches the server byte for byte`, () => passes(get(kind)));
    }

    test("a ClientHello with bytes behind it loses none of them", () =>
      passes(Buffer.concat([get("ordinary"), Buffer.from("\x17\x03\x03\x00\x05early", "latin1")])));

    test("a name in upper case and with a dot is the same name", () =>
      passes(helloWith([["API.Example.COM."]])));

    test("split hello: one that comes byte by byte is put together", async () => {
      const wire = await start();
      const bytes = get("ordinary");
      for (const byte of bytes) await wire.sendPiece(Uint8Array.of(byte));
      await wire.until(new RegExp(`${GREETING}$`));
      const seen = await arrived[0]?.until((text) => text.length >= bytes.length);
      assert.equal(seen, Buffer.from(bytes).toString("latin1"));
    });

    test("split hello: wherever it is cut in two, the same is decided", async () => {
      const bytes = helloWith([["evil.org"]]);
      const door = await start();
      door.socket.destroy();
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const wire = await start();
        await wire.sendPiece(bytes.subarray(0, cut));
        wire.send(bytes.subarray(cut));
        const { text } = await wire.ended();
        assert.ok(text.endsWith(DENIED_ALERT), `cut at ${cut}`);
      }
      assert.equal(reasons(room).length, bytes.length - 1);
      assert.deepEqual(arrived.map((one) => one.text()).join(""), "");
    });

    test("no server name is refused", () => isRefused(get("nameless"), "no-name"));
    test("an empty list of names is refused", () => isRefused(helloWith([[]]), "bad-request"));
    test("two names in one list are refused", () => isRefused(helloWith([[NAME, OTHER]]), "bad-request"));
    test("the same name twice is refused", () => isRefused(helloWith([[NAME, NAME]]), "bad-request"));
    test("two lists of names are refused", () => isRefused(helloWith([[NAME], [NAME]]), "bad-request"));
    test("NUL in the name is refused", () => isRefused(helloWith([[`${NAME}\0.evil.org`]]), "bad-request"));
    test("an address as the name is refused", () => isRefused(helloWith([["127.0.0.1"]]), "bad-request"));
    test("a name in another alphabet is refused", () =>
      isRefused(helloWith([["\xe4pi.example.com"]]), "bad-request"));
    for (const [what, bytes, reason] of [
      ["plain HTTP", `GET / HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`, "is-http"],
      ["SSH", "SSH-2.0-OpenSSH_9.7\r\n", "is-ssh"],
      ["what nobody knows", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "bad-request"],
    ] as const)
      test(`${what} is refused by its name, with a reset and no alert in its stream`, async () => {
        const wire = await start();
        const said = wire.text();
        wire.send(Buffer.from(bytes, "latin1"));
        const { text } = await wire.ended();
        assert.equal(text, said, "not a byte of TLS for who does not speak it");
        assert.equal(lastRefusal(room).decision.reason, reason);
        assert.deepEqual(arrived.map((one) => one.text()).join(""), "");
      });

    test("a server's hello is refused", () =>
      isRefused(Uint8Array.from([22, 3, 3, 0, 4, 2, 0, 0, 0]), "bad-request"));
    test("a hello longer than any real one is refused", () => {
      const long = Buffer.alloc(40_000, 0x41);
      return isRefused(
        Buffer.concat([Uint8Array.from([22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]), long]),
        "bad-request",
      );
    });

    test("late: a hello that trickles in is cut when its time is over, however often a byte comes", async (t) => {
      // Before anything starts: a timer that was made by one clock cannot be cleared by the other.
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const wire = await start();
      const bytes = get("ordinary");
      for (let step = 0; step < 5; step += 1) {
        await wire.sendPiece(bytes.subarray(step, step + 1));
        await turns();
        t.mock.timers.tick(FIRST_BYTES_WAIT_MS / 5);
      }
      const { text } = await wire.ended();
      assert.ok(text.endsWith(DENIED_ALERT));
      assert.equal(lastRefusal(room).decision.reason, "bad-request");
      assert.deepEqual(arrived.map((one) => one.text()).join(""), "");
    });

    test("a client that goes away in its hello is forgotten", async () => {
      const wire = await start();
      await wire.sendPiece(get("ordinary").subarray(0, 20));
      wire.socket.end();
      await wire.ended();
      await until(() => room.scope.connections.count() === 0);
      assert.deepEqual(reasons(room), []);
    });
  });
}

describe("TLS that names another server", () => {
  test("SNI mismatch: a listed name in a tunnel that was asked for another is refused", async () => {
    const wire = await throughTunnel();
    wire.send(get("other"));
    assert.ok((await wire.ended()).text.endsWith(DENIED_ALERT));
    const { decision, host } = lastRefusal(room);
    assert.deepEqual([decision.reason, host], ["name-mismatch", OTHER]);
    assert.deepEqual(arrived.map((one) => one.text()).join(""), "");
  });

  test("SNI mismatch: also on another port than 443", async () => {
    const wire = await throughTunnelToOther();
    wire.send(get("other"));
    assert.ok((await wire.ended()).text.endsWith(DENIED_ALERT));
    assert.equal(lastRefusal(room).decision.reason, "name-mismatch");
  });

  async function throughTunnelToOther(): Promise<Wire> {
    const second = await room.startServer((socket) => void arrived.push(wireOf(socket)), 8_443);
    room.resolver.react = () => ({
      kind: "addresses",
      chain: [],
      addresses: [parseIp(second.address)].flatMap((ip) => ip ?? []),
      ttlSeconds: 60,
      authenticData: false,
      ede: null,
    });
    return throughTunnel(`${NAME}:8443`);
  }

  test("a hello in one segment with the CONNECT is judged like any other", async () => {
    for (const [kind, isRefused] of [
      ["other", true],
      ["ordinary", false],
    ] as const) {
      const wire = await room.connect(await room.openProxy());
      wire.send(
        Buffer.concat([Buffer.from(`CONNECT ${NAME}:443 HTTP/1.1\r\nHost: ${NAME}:443\r\n\r\n`), get(kind)]),
      );
      if (isRefused) assert.ok((await wire.ended()).text.endsWith(DENIED_ALERT));
      else await wire.until(new RegExp(`${GREETING}$`));
    }
  });

  test("the neighbour on the same address: a name that was never resolved to it is asked for, and only then passes", async () => {
    const wire = await throughDoor();
    wire.send(get("other"));
    await wire.until(new RegExp(GREETING));
    assert.deepEqual(
      room.resolver.heard.map((one) => one.query.question.text),
      [OTHER],
    );
  });

  test("hard-coded address: a listed name at an address that is not its own is refused", async () => {
    const stranger = await room.startServer((socket) => void arrived.push(wireOf(socket)), PORT);
    const address = parseIp(stranger.address);
    assert.ok(address !== undefined);
    await room.setPolicy([`allow: ${NAME}, private: true`]);
    const wire = await room.connect(await room.openTls({ address, port: PORT }));
    wire.send(get("ordinary"));
    assert.ok((await wire.ended()).text.endsWith(DENIED_ALERT));
    assert.equal(lastRefusal(room).decision.reason, "not-pinned");
    assert.deepEqual(arrived, []);
  });

  test("an unlisted name at a listed address is refused", async () => {
    await room.setPolicy([`allow: ${NAME}, private: true`]);
    const wire = await throughDoor();
    wire.send(helloWith([["evil.org"]]));
    assert.ok((await wire.ended()).text.endsWith(DENIED_ALERT));
    assert.equal(lastRefusal(room).decision.reason, "default");
  });

  test("a tunnel by address: a name that is denied elsewhere is denied here too", async () => {
    const wire = await throughTunnel(`${origin.address}:443`);
    wire.send(helloWith([["denied.example.com"]]));
    assert.ok((await wire.ended()).text.endsWith(DENIED_ALERT));
    assert.equal(lastRefusal(room).decision.reason, "denied");
  });

  test("a tunnel by address: TLS without a name passes, because the address is what is allowed", async () => {
    const wire = await throughTunnel(`${origin.address}:443`);
    wire.send(get("nameless"));
    await wire.until(new RegExp(`${GREETING}$`));
  });
});

describe("a whole TLS connection", () => {
  for (const [way] of WAYS) {
    test(`through ${way}: handshake, data both ways, and the end of each side for itself`, async () => {
      // Pre-shared keys, so that no certificate is needed.
      const psk = { psk: Buffer.alloc(32, 1), identity: "test" };
      const shared = { ciphers: "PSK-AES128-GCM-SHA256", maxVersion: "TLSv1.2" } as const;
      const server = tls.createServer({ ...shared, pskCallback: () => psk.psk });
      const echoed = new Promise<string>((resolve) => {
        server.once("secureConnection", (socket) => {
          let got = "";
          socket.on("data", (chunk: Buffer) => {
            got += chunk.toString();
            socket.write(chunk);
          });
          socket.on("close", () => resolve(got));
        });
      });
      const stand = { address: freshAddress(), port: PORT };
      await listen(server, stand.address, PORT);
      room.resolver.react = () => ({
        kind: "addresses",
        chain: [],
        addresses: [parseIp(stand.address)].flatMap((ip) => ip ?? []),
        ttlSeconds: 60,
        authenticData: false,
        ede: null,
      });
      origin = stand;
      const socket = await bare(way === "a tunnel");
      const client = tls.connect({
        socket,
        servername: NAME,
        ...shared,
        pskCallback: () => psk,
        checkServerIdentity: () => undefined,
      });
      const answered = new Promise<string>((resolve) =>
        client.once("data", (chunk: Buffer) => resolve(chunk.toString())),
      );
      client.write("hello inside");
      assert.equal(await answered, "hello inside");
      const closed = new Promise((resolve) => client.once("close", resolve));
      client.end();
      assert.equal(await echoed, "hello inside");
      await closed;
      await new Promise((resolve) => server.close(resolve));
    });
  }
});

/** Returns a socket that nobody reads, at the place where the TLS begins. */
async function bare(isTunnel: boolean): Promise<Socket> {
  const { address, port } = isTunnel ? await room.openProxy() : await room.openTls(destination());
  const socket = connect({ host: address, port });
  await new Promise((resolve) => socket.once("connect", resolve));
  if (!isTunnel) return socket;
  socket.write(`CONNECT ${NAME}:${PORT} HTTP/1.1\r\nHost: ${NAME}:${PORT}\r\n\r\n`);
  const head = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  assert.match(head.toString(), /^HTTP\/1\.1 200 [^\r]*\r\n\r\n$/);
  return socket;
}
