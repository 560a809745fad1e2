// Opens as many entries of the connection table as it is told to, says how many it has, and holds them until stdin ends.
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { connect, type Socket } from "node:net";

export interface Filling {
  /** `servers`: a DNS question to each of many servers. `sockets`: a datagram from each of many sockets. */
  readonly what: "servers" | "sockets" | "connections";
  readonly count: number;
  /** Where to; the first of many, for servers. */
  readonly address: string;
  readonly port: number;
  /** Sources to connect from, in turn. */
  readonly sources: readonly string[];
}

export interface Filled {
  /** Connections that came about, or datagrams that were sent without an error. */
  readonly opened: number;
  readonly refused: number;
}

const AT_ONCE = 100;
const QUESTION = Buffer.from("123401000001000000000000017807696e76616c69640000010001", "hex");
const CONNECT_WAIT_MS = 20_000;
const ROUNDS = 3;
const ROUND_MS = 1_500;

const wish = JSON.parse(process.argv[2] ?? "{}") as Filling;
const held: (Socket | Datagrams)[] = [];
const filled = wish.what === "connections" ? await fillConnections(wish) : await fillDatagrams(wish);
process.stdout.write(`${JSON.stringify(filled)}\n`);
process.stdin.resume().on("end", () => process.exit(0));

async function fillConnections({ count, address, port, sources }: Filling): Promise<Filled> {
  let [opened, refused, next] = [0, 0, 0];
  const work = async (): Promise<void> => {
    while (next < count) {
      const source = sources[next % Math.max(1, sources.length)];
      next += 1;
      if (await open(address, port, source)) opened += 1;
      else refused += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { opened, refused };
}

function open(host: string, port: number, localAddress: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    socket.setTimeout(CONNECT_WAIT_MS, () => socket.destroy());
    socket.once("connect", () => {
      socket.setTimeout(0);
      held.push(socket);
      resolve(true);
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve(false));
  });
}

/** Asked again and again: an entry that is in use after two seconds is never taken away to make room. */
async function fillDatagrams({ what, count, address, port }: Filling): Promise<Filled> {
  const family = address.includes(":") ? "udp6" : "udp4";
  const sockets = await Promise.all(
    Array.from({ length: what === "sockets" ? count : 4 }, () => bind(family)),
  );
  let [opened, refused] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    [opened, refused] = [0, 0];
    for (let from = 0; from < count; from += AT_ONCE) {
      const sent = await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => {
          const number = from + at;
          const to = what === "servers" ? serverOf(address, number) : address;
          return send(sockets[number % sockets.length], to, port);
        }),
      );
      opened += sent.filter(Boolean).length;
      refused += sent.filter((one) => !one).length;
    }
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
  return { opened, refused };
}

function serverOf(first: string, number: number): string {
  if (first.includes(":")) return `${first}${(number + 1).toString(16)}`;
  return `${first}.${(number >> 8) & 255}.${number & 255}`;
}

function bind(family: "udp4" | "udp6"): Promise<Datagrams> {
  const socket = createSocket(family);
  socket.on("error", () => {});
  held.push(socket);
  return new Promise((resolve) => socket.bind(0, () => resolve(socket)));
}

function send(socket: Datagrams | undefined, to: string, port: number): Promise<boolean> {
  return new Promise((resolve) => socket?.send(QUESTION, port, to, (error) => resolve(error === null)));
}
