/** The explicit proxy: asked for whole URLs, and for tunnels that it does not open. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { get, type HttpRoom, NAME, openHttpRoom, REPLY } from "./http-room.ts";
import { turns } from "./patience.ts";
import { lastRefusal, type Room } from "./room.ts";
import type { Wire } from "./wire.ts";

let room: Room;
let arrived: HttpRoom["arrived"];
let server: HttpRoom["server"];
let seen: HttpRoom["seen"];
beforeEach(async () => {
  ({ room, arrived, server, seen } = await openHttpRoom());
});
afterEach(() => room.close());

describe("the proxy asked for a whole URL", () => {
  const forward = async (request: string): Promise<Wire> => {
    const wire = await room.connect(await room.openProxy());
    wire.send(request);
    return wire;
  };
  const ask = (url: string, host: string, more = ""): string =>
    `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;

  test("a request is rewritten for the server, without what was for the proxy", async () => {
    const wire = await forward(
      ask(
        `http://${NAME}/a?b`,
        NAME,
        "Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\nX-A: b\r\n",
      ),
    );
    const there = await server();
    const text = await there.until(/\r\n\r\n$/);
    assert.equal(text, `GET /a?b HTTP/1.1\r\nHost: ${NAME}\r\nX-A: b\r\nConnection: close\r\n\r\n`);
    there.send(REPLY);
    there.socket.end();
    assert.ok((await wire.ended()).text.endsWith("ok"));
  });

  test("keep-alive: a second request on the same connection is not passed on, whatever its host", async () => {
    for (const [count, host] of [
      [1, "evil.org"],
      [2, NAME],
    ] as const) {
      const wire = await forward(ask(`http://${NAME}/`, NAME) + ask(`http://${host}/second`, host));
      const there = await server(count);
      await there.until(/\r\n\r\n$/);
      there.send(REPLY);
      there.socket.end();
      await wire.ended();
    }
    assert.ok(!seen().includes("second"));
  });

  test("a body with a length passes, and what is behind it does not, be it a head or a body", async () => {
    const post = (host: string, body: string): string =>
      `POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await forward(post(NAME, "hello") + post("evil.org", "stolen"));
    const text = await (await server()).until(/hello/);
    await turns();
    assert.ok(text.endsWith("\r\n\r\nhello"));
    assert.ok(!/evil|stolen/.test(seen()));
  });

  test("WebSocket through the proxy passes after 101", async () => {
    const wire = await forward(
      ask(`http://${NAME}/chat`, NAME, "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    );
    const there = await server();
    await there.until(/Upgrade: websocket\r\n\r\n$/);
    there.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await wire.until(/\r\n\r\n$/);
    wire.send("\x81\x02hi");
    await there.until(/hi$/);
  });

  const REFUSED: readonly (readonly [string, string, number, string])[] = [
    ["an unlisted host", ask("http://evil.org/", "evil.org"), 403, "default"],
    ["a listed host on another port", ask(`http://${NAME}:8080/`, `${NAME}:8080`), 403, "default"],
    ["a private address", ask("http://10.0.0.5/", "10.0.0.5"), 403, "default"],
    ["the metadata service", ask("http://169.254.169.254/", "169.254.169.254"), 403, "guard"],
    [
      "metadata by its name",
      ask("http://metadata.google.internal/", "metadata.google.internal"),
      403,
      "guard",
    ],
    ["two hosts", ask(`http://${NAME}/`, "evil.org"), 403, "name-mismatch"],
    ["an address in another spelling", ask("http://0x7f.1/", "0x7f.1"), 400, "bad-request"],
    ["CONNECT without a port", `CONNECT ${NAME} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`, 400, "bad-request"],
    [
      "CONNECT to an unlisted host",
      "CONNECT evil.org:443 HTTP/1.1\r\nHost: evil.org:443\r\n\r\n",
      403,
      "default",
    ],
    [
      "CONNECT to a listed host on another port",
      `CONNECT ${NAME}:22 HTTP/1.1\r\nHost: ${NAME}:22\r\n\r\n`,
      403,
      "default",
    ],
    [
      "CONNECT to the loopback",
      "CONNECT 127.0.0.1:18789 HTTP/1.1\r\nHost: 127.0.0.1:18789\r\n\r\n",
      403,
      "default",
    ],
    [
      "CONNECT to the mapped loopback",
      "CONNECT [::ffff:127.0.0.1]:22 HTTP/1.1\r\nHost: [::ffff:127.0.0.1]:22\r\n\r\n",
      403,
      "default",
    ],
    [
      "CONNECT to metadata",
      "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n",
      403,
      "guard",
    ],
    [
      "CONNECT with NUL in the name",
      `CONNECT ${NAME}\0.evil.org:443 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`,
      400,
      "bad-request",
    ],
    ["SOCKS", "\x05\x01\x00", 400, "bad-request"],
  ];
  for (const [title, request, status, reason] of REFUSED) {
    test(`${title} is refused with ${status} and ${reason}, and nobody is connected to`, async () => {
      const wire = await forward(request);
      const { text } = await wire.ended();
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.equal(lastRefusal(room).decision.reason, reason);
      assert.ok(text.includes(String(lastRefusal(room).id)));
      assert.deepEqual([arrived.length, room.resolver.heard.length], [0, 0]);
    });
  }

  test("a request that is none for a proxy is told so", async () => {
    const wire = await forward(get(NAME));
    assert.match((await wire.ended()).text, /^HTTP\/1\.1 400 [^]*this is Seawall's proxy/);
  });

  test("a name that no resolver knows is a 502, and no refusal of the policy", async () => {
    await room.setPolicy(["allow: nowhere.example.com, port: 80"]);
    const wire = await forward(ask("http://nowhere.example.com/", "nowhere.example.com"));
    assert.match((await wire.ended()).text, /^HTTP\/1\.1 502 /);
    assert.equal(lastRefusal(room).decision.reason, "unresolved");
  });

  test("rebinding: a listed name with a private address is refused", async () => {
    await room.setPolicy([`allow: ${NAME}, port: 80`]);
    const wire = await forward(ask(`http://${NAME}/`, NAME));
    assert.match((await wire.ended()).text, /^HTTP\/1\.1 403 /);
    assert.equal(lastRefusal(room).decision.reason, "private-address");
    assert.deepEqual(arrived, []);
  });

  test("observe: a name that is not listed and has a private address passes, and is told", async () => {
    await room.setPolicy(["allow: evil.org"], "observe");
    await forward(ask(`http://${NAME}/`, NAME));
    await (await server()).until(/\r\n\r\n$/);
    assert.ok(room.reports.some(({ decision, host }) => decision.observed && host === NAME));
  });

  test("observe: a tunnel is never held, whatever is in it", async () => {
    await room.setPolicy(["allow: evil.org"], "observe");
    const wire = await forward(`CONNECT ${NAME}:80 HTTP/1.1\r\nHost: ${NAME}:80\r\n\r\n`);
    await wire.until(/\r\n\r\n$/);
    wire.send("neither TLS nor HTTP");
    await (await server()).until(/neither TLS nor HTTP/);
  });

  test("observe: the metadata service is refused all the same", async () => {
    await room.setPolicy(["allow: evil.org"], "observe");
    const wire = await forward(ask("http://169.254.169.254/", "169.254.169.254"));
    assert.match((await wire.ended()).text, /^HTTP\/1\.1 403 /);
  });
});
