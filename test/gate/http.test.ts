/** Plain HTTP through the door of port 80 and through a tunnel to port 80: the Host of every request decides. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FIRST_BYTES_WAIT_MS } from "../../src/edge/gate/first-bytes.ts";
import { parseIp } from "../../src/core/net/ip.ts";
import { get, type HttpRoom, NAME, openHttpRoom, OTHER, PORT, REPLY } from "./http-room.ts";
import { turns } from "./patience.ts";
import { lastRefusal, reasons, type Room } from "./room.ts";
import type { Wire } from "./wire.ts";

let room: Room;
let origin: HttpRoom["origin"];
let server: HttpRoom["server"];
let seen: HttpRoom["seen"];
beforeEach(async () => {
  ({ room, origin, server, seen } = await openHttpRoom());
});
afterEach(() => room.close());

async function throughDoor(): Promise<Wire> {
  const address = parseIp(origin.address);
  assert.ok(address !== undefined);
  return room.connect(await room.openHttp({ address, port: PORT }));
}

async function throughTunnel(): Promise<Wire> {
  const wire = await room.connect(await room.openProxy());
  wire.send(`CONNECT ${NAME}:80 HTTP/1.1\r\nHost: ${NAME}:80\r\n\r\n`);
  await wire.until(/^HTTP\/1\.1 200 [^\r]*\r\n\r\n/);
  return wire;
}

const WAYS = [
  ["the door of port 80", throughDoor],
  ["a tunnel to port 80", throughTunnel],
] as const;

for (const [way, start] of WAYS) {
  describe(`HTTP through ${way}`, () => {
    test("a request passes byte for byte, and so does its answer", async () => {
      const wire = await start();
      const request = `POST /a?b HTTP/1.1\r\nhOsT:  ${NAME} \r\nX-Odd:  kept \r\nContent-Length: 5\r\n\r\nhello`;
      wire.send(request);
      const there = await server();
      await there.until((text) => text === request);
      there.send(REPLY);
      await wire.until(/ok$/);
      assert.deepEqual(reasons(room), []);
    });

    test("a request that comes byte by byte passes", async () => {
      const wire = await start();
      for (const letter of get(NAME)) await wire.sendPiece(letter);
      await (await server()).until((text) => text === get(NAME));
    });

    test("pipelining: requests to the same host pass in order", async () => {
      const wire = await start();
      wire.send(get(NAME, "/1") + get(NAME.toUpperCase(), "/2") + get(`${NAME}:80`, "/3"));
      await (await server()).until(/\/1 [^]*\/2 [^]*\/3 HTTP/);
    });

    test("pipelining: a later request to another host ends the connection, and nothing of it passes", async () => {
      const wire = await start();
      wire.send(get(NAME));
      await (await server()).until(/\r\n\r\n$/);
      wire.send(get(OTHER, "/stolen"));
      await wire.ended();
      assert.equal(lastRefusal(room).decision.reason, "name-mismatch");
      assert.ok(!seen().includes("stolen"));
    });

    test("pipelining: in one segment the first passes and the second does not", async () => {
      const wire = await start();
      wire.send(get(NAME, "/first") + get("evil.org", "/stolen"));
      await wire.ended();
      assert.ok(!seen().includes("stolen"));
      assert.equal(lastRefusal(room).decision.reason, "name-mismatch");
    });

    const SMUGGLING: readonly (readonly [string, string, string])[] = [
      ["two Hosts", `GET / HTTP/1.1\r\nHost: ${NAME}\r\nHost: evil.org\r\n\r\n`, "bad-request"],
      ["the same Host twice", `GET / HTTP/1.1\r\nHost: ${NAME}\r\nHost: ${NAME}\r\n\r\n`, "bad-request"],
      ["a list of Hosts", `GET / HTTP/1.1\r\nHost: ${NAME}, evil.org\r\n\r\n`, "bad-request"],
      ["a Host folded over two lines", `GET / HTTP/1.1\r\nHost: ${NAME}\r\n evil.org\r\n\r\n`, "bad-request"],
      ["a space before the colon", `GET / HTTP/1.1\r\nHost : ${NAME}\r\n\r\n`, "bad-request"],
      ["bare line feeds", `GET / HTTP/1.1\nHost: ${NAME}\n\n`, "bad-request"],
      [
        "a bare carriage return",
        `GET / HTTP/1.1\r\nX: a\rHost: evil.org\r\nHost: ${NAME}\r\n\r\n`,
        "bad-request",
      ],
      ["NUL in the Host", `GET / HTTP/1.1\r\nHost: ${NAME}\0.evil.org\r\n\r\n`, "bad-request"],
      ["a Host with a user", `GET / HTTP/1.1\r\nHost: ${NAME}@evil.org\r\n\r\n`, "bad-request"],
      ["a Host with a path", `GET / HTTP/1.1\r\nHost: ${NAME}/evil.org\r\n\r\n`, "bad-request"],
      ["an encoded Host", "GET / HTTP/1.1\r\nHost: api%2eexample.com\r\n\r\n", "bad-request"],
      [
        "absolute-form with another Host",
        `GET http://evil.org/ HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`,
        "name-mismatch",
      ],
      [
        "absolute-form in front of another Host",
        `GET http://${NAME}/ HTTP/1.1\r\nHost: evil.org\r\n\r\n`,
        "name-mismatch",
      ],
      [
        "two lengths",
        `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
        "bad-request",
      ],
      [
        "CL.TE",
        `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
        "bad-request",
      ],
      [
        "TE.TE",
        `POST / HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
        "bad-request",
      ],
      [
        "an obscured coding",
        `POST / HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
        "bad-request",
      ],
      [
        "a signed length",
        `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: +5\r\n\r\nhello`,
        "bad-request",
      ],
      ["no Host", "GET / HTTP/1.1\r\n\r\n", "no-name"],
      ["no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "no-name"],
      ["an address as Host", "GET / HTTP/1.1\r\nHost: 93.184.216.34\r\n\r\n", "no-name"],
      ["another port in the Host", `GET / HTTP/1.1\r\nHost: ${NAME}:8080\r\n\r\n`, "name-mismatch"],
      ["HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad-request"],
      [
        "h2c by upgrade",
        `GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
        "bad-request",
      ],
      ["SSH", "SSH-2.0-OpenSSH_9.7\r\n", "is-ssh"],
      ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "is-tls"],
      ["CONNECT to a web server", `CONNECT ${NAME}:80 HTTP/1.1\r\nHost: ${NAME}:80\r\n\r\n`, "bad-request"],
      [
        "a head longer than any real one",
        `GET / HTTP/1.1\r\nHost: ${NAME}\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
        "bad-request",
      ],
    ];
    for (const [title, request, reason] of SMUGGLING) {
      test(`smuggling: ${title} is refused and never reaches a server`, async () => {
        const wire = await start();
        wire.send(request);
        await wire.ended();
        assert.equal(lastRefusal(room).decision.reason, reason);
        assert.equal(seen(), "");
      });
    }

    test("smuggling: a request hidden in a body stays a body", async () => {
      const wire = await start();
      const hidden = get("evil.org");
      const request = `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
      wire.send(request);
      await (await server()).until((text) => text === request);
      assert.deepEqual(reasons(room), []);
    });

    test("smuggling: a chunk whose length can be read in two ways ends the connection", async () => {
      const wire = await start();
      wire.send(
        `POST / HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n${get("evil.org", "/stolen")}`,
      );
      await wire.ended();
      assert.ok(!seen().includes("stolen"));
    });

    test("WebSocket: after 101 the bytes of both sides pass unread", async () => {
      const wire = await start();
      wire.send(`GET /chat HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      const there = await server();
      await there.until(/\r\n\r\n$/);
      there.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
      );
      await wire.until(/hi$/);
      wire.send("\x81\x84\0\0\0\0Host: evil.org");
      await there.until(/Host: evil\.org$/);
      assert.deepEqual(reasons(room), []);
    });

    test("WebSocket: what is sent ahead waits, and is a request when the server declines", async () => {
      const wire = await start();
      wire.send(
        `GET /chat HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${get("evil.org", "/stolen")}`,
      );
      const there = await server();
      await there.until(/websocket\r\n\r\n$/);
      there.send(REPLY);
      await wire.ended();
      assert.equal(lastRefusal(room).decision.reason, "name-mismatch");
      assert.ok(!seen().includes("stolen"));
    });

    test("slowloris: a head that trickles in is cut when its time is over, however often a byte comes", async (t) => {
      // Before anything starts: a timer that was made by one clock cannot be cleared by the other.
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const wire = await start();
      for (const letter of "GET /") {
        await wire.sendPiece(letter);
        await turns();
        t.mock.timers.tick(FIRST_BYTES_WAIT_MS / 5);
      }
      await wire.ended();
      assert.equal(seen(), "");
    });

    test("half-close: a client that has sent all still gets its answer", async () => {
      const wire = await start();
      wire.send(get(NAME));
      wire.socket.end();
      const there = await server();
      await there.ended();
      there.send(REPLY);
      there.socket.end();
      const { text, how } = await wire.ended();
      assert.ok(text.endsWith("ok"));
      assert.equal(how, "end");
    });

    test("half-close: a server that has sent all still gets what the client has to say", async () => {
      const wire = await start();
      const head = `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 4\r\n\r\n`;
      wire.send(head);
      const there = await server();
      await there.until(/\r\n\r\n$/);
      there.send(REPLY);
      there.socket.end();
      await wire.ended();
      wire.send("late");
      await there.until(/late$/);
    });

    test("a reset of the server reaches the client as a reset", async () => {
      const wire = await start();
      wire.send(get(NAME));
      const there = await server();
      await there.until(/\r\n\r\n$/);
      there.socket.resetAndDestroy();
      assert.equal((await wire.ended()).how, "reset");
    });

    test("a reset of the client reaches the server as a reset", async () => {
      const wire = await start();
      wire.send(get(NAME));
      const there = await server();
      await there.until(/\r\n\r\n$/);
      wire.socket.resetAndDestroy();
      assert.equal((await there.ended()).how, "reset");
    });

    test("a connection that the next policy forbids is cut", async () => {
      const wire = await start();
      wire.send(get(NAME));
      const there = await server();
      await there.until(/\r\n\r\n$/);
      await room.setPolicy(["allow: evil.org"]);
      assert.equal((await wire.ended()).how, "reset");
      assert.equal((await there.ended()).how, "reset");
    });

    test("a connection that the next policy allows is left alone", async () => {
      const wire = await start();
      wire.send(get(NAME));
      const there = await server();
      await there.until(/\r\n\r\n$/);
      await room.setPolicy([`allow: ${NAME}, port: 80, private: true, id: another`]);
      there.send(REPLY);
      await wire.until(/ok$/);
    });
  });
}

describe("the door of port 80", () => {
  test("a refusal is a 403 with everything a model needs to tell its owner", async () => {
    const wire = await throughDoor();
    wire.send(get("evil.org"));
    const { text } = await wire.ended();
    assert.match(text, /^HTTP\/1\.1 403 /);
    const body = JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as Record<string, unknown>;
    assert.deepEqual(Object.keys(body), ["reason", "id", "host", "port", "rule", "message", "help"]);
    assert.deepEqual([body["reason"], body["host"], body["port"]], ["default", "evil.org", 80]);
    assert.equal(body["id"], lastRefusal(room).id);
    assert.equal(
      body["help"],
      `the owner of this machine can allow it: seawall approve ${String(body["id"])}`,
    );
  });
});
