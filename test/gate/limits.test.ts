/** What no client can make a gate do: take another scope's places, hold memory for a slow reader, wait for ever. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, describe, test } from "node:test";
import { CONNECTIONS_MAX } from "../../src/edge/gate/connections.ts";
import type { Place } from "../../src/edge/gate/tcp-door.ts";
import { hello } from "./hello.ts";
import { until } from "./patience.ts";
import { openRoom, reasons, type Room } from "./room.ts";

const NAME = "api.example.com";
let room: Room;
afterEach(() => room.close());

async function open(): Promise<{ names: Record<string, string[]> }> {
  const names: Record<string, string[]> = {};
  const allow = `allow: ${NAME}, port: [80, 443, 8080], private: true`;
  room = await openRoom({ rules: [allow, `${allow}, scope: helper`], names });
  return { names };
}

describe("places", () => {
  test(`a scope has ${CONNECTIONS_MAX} connections, the next is reset and told once, and another scope has its own`, async () => {
    await open();
    const door = await room.openProxy();
    const other = await room.openProxy(room.gate.scope("helper"));
    const clients: Socket[] = [];
    try {
      for (let at = 0; at < CONNECTIONS_MAX; at += 256) {
        const batch = Array.from({ length: Math.min(256, CONNECTIONS_MAX - at) }, () => idle(door));
        clients.push(...(await Promise.all(batch)));
      }
      await until(() => room.scope.connections.count() === CONNECTIONS_MAX);
      for (let turn = 0; turn < 3; turn += 1) {
        assert.equal(await fate(door), "ECONNRESET");
      }
      assert.deepEqual(reasons(room), ["limit"]);
      const served = await room.connect(other);
      served.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.match((await served.ended()).text, /^HTTP\/1\.1 400 /);
      clients.pop()?.destroy();
      await until(() => room.scope.connections.count() < CONNECTIONS_MAX);
      const next = await room.connect(door);
      next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.match((await next.ended()).text, /^HTTP\/1\.1 400 /);
    } finally {
      for (const client of clients) client.destroy();
    }
  });

  test("a connection that is over gives its place back, however it ended", async () => {
    const { names } = await open();
    const origin = await room.startServer((socket) => void socket.resume(), 80);
    names[NAME] = [origin.address];
    const door = await room.openProxy();
    const ends: ((socket: Socket) => void)[] = [
      (socket) => socket.end(),
      (socket) => socket.destroy(),
      (socket) => socket.resetAndDestroy(),
    ];
    for (const end of ends) {
      const wire = await room.connect(door);
      wire.send(`CONNECT ${NAME}:80 HTTP/1.1\r\nHost: ${NAME}:80\r\n\r\n`);
      await wire.until(/^HTTP\/1\.1 200 /);
      end(wire.socket);
      wire.socket.destroy();
    }
    await until(() => room.scope.connections.count() === 0);
    assert.deepEqual([...room.scope.connections.open()], []);
  });
});

describe("back-pressure", () => {
  /** More than the sockets' buffers on both legs hold. */
  const OFFERED_BYTES = 192 * 1024 * 1024;
  const TAKEN_BYTES_MAX = 48 * 1024 * 1024;
  const CHUNK = Buffer.alloc(65_536, 0x61);

  /** Writes as fast as the other side takes; returns how much the kernel has taken. */
  function pour(socket: Socket): () => number {
    let offered = 0;
    const more = (): void => {
      while (offered < OFFERED_BYTES) {
        offered += CHUNK.length;
        if (!socket.write(CHUNK)) return void socket.once("drain", more);
      }
    };
    more();
    return () => offered - socket.writableLength;
  }

  /** Waits until nothing moves any more. */
  async function settled(taken: () => number): Promise<number> {
    let before = -1;
    for (let still = 0; still < 5; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      still = taken() === before ? still + 1 : 0;
      before = taken();
    }
    return before;
  }

  const PORTS = [
    ["TLS", 443],
    ["HTTP", 80],
    ["anything", 8_080],
  ] as const;

  async function begin(port: number): Promise<Buffer> {
    if (port === 443) return Buffer.from(await hello(NAME));
    const head = `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: ${2 * OFFERED_BYTES}\r\n\r\n`;
    return Buffer.from(port === 80 ? head : "any protocol");
  }

  async function tunnel(port: number, serve: (socket: Socket) => void): Promise<Socket> {
    const { names } = await open();
    names[NAME] = [(await room.startServer(serve, port)).address];
    const wire = await room.connect(await room.openProxy());
    wire.send(`CONNECT ${NAME}:${port} HTTP/1.1\r\nHost: ${NAME}:${port}\r\n\r\n`);
    await wire.until(/^HTTP\/1\.1 200 /);
    wire.send(await begin(port));
    return wire.socket;
  }

  for (const [title, port] of PORTS) {
    test(`${title}: a client that does not read stops a server that sends`, async () => {
      let taken: (() => number) | undefined;
      const client = await tunnel(port, (socket) => {
        socket.resume();
        socket.once("data", () => {
          taken = pour(socket);
        });
      });
      client.pause();
      await until(() => taken !== undefined);
      assert.ok(taken !== undefined);
      const bytes = await settled(taken);
      assert.ok(bytes < TAKEN_BYTES_MAX, `${bytes} bytes were taken from the server`);
      const read = wireBytes(client);
      client.resume();
      const { length } = CHUNK;
      await until(() => read() > bytes + length);
    });

    test(`${title}: a server that does not read stops a client that sends`, async () => {
      let there: Socket | undefined;
      const client = await tunnel(port, (socket) => {
        socket.once("data", () => socket.pause());
        there = socket;
      });
      await until(() => there !== undefined);
      const taken = pour(client);
      const bytes = await settled(taken);
      assert.ok(bytes < TAKEN_BYTES_MAX, `${bytes} bytes were taken from the client`);
      assert.ok(there !== undefined);
      const read = wireBytes(there);
      there.resume();
      await until(() => read() > bytes);
    });
  }

  test("the proxy asked for a whole URL holds a fast client back too", async () => {
    const { names } = await open();
    let there: Socket | undefined;
    const origin = await room.startServer((socket) => {
      socket.once("data", () => socket.pause());
      there = socket;
    }, 80);
    names[NAME] = [origin.address];
    const wire = await room.connect(await room.openProxy());
    wire.send(
      `POST http://${NAME}/ HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: ${2 * OFFERED_BYTES}\r\n\r\n`,
    );
    await until(() => there !== undefined);
    const bytes = await settled(pour(wire.socket));
    assert.ok(bytes < TAKEN_BYTES_MAX, `${bytes} bytes were taken`);
  });

  test("a client that is refused and goes on sending is not read into memory", async () => {
    await open();
    const wire = await room.connect(await room.openProxy());
    wire.send("CONNECT evil.org:443 HTTP/1.1\r\nHost: evil.org:443\r\n\r\n");
    pour(wire.socket);
    const { text } = await wire.ended();
    assert.match(text, /^HTTP\/1\.1 403 /);
    await until(() => room.scope.connections.count() === 0);
  });
});

function idle({ address, port }: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** How a connection that sends nothing ends; the reset may come before the client knows that it is connected. */
function fate({ address, port }: Place): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.once("end", () => resolve("end"));
    socket.resume();
  });
}

function wireBytes(socket: Socket): () => number {
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  return () => bytes;
}
