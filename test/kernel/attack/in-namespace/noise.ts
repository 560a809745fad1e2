// Reads what noise to make from stdin: many datagrams, and connections in the middle of them. Prints how many of each.
import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import { json } from "node:stream/consumers";

export interface Noise {
  readonly family: 4 | 6;
  /** Ends that are noise; each gets one datagram a round. */
  readonly ends: readonly { readonly address: string; readonly port: number }[];
  readonly rounds: number;
  /** Sources to send from, in turn; that of the route when there are none. */
  readonly sources: readonly string[];
  /** What all the noise is to hide; tried so many times while the noise goes on. */
  readonly real: {
    readonly address: string;
    readonly port: number;
    readonly times: number;
    readonly source: string | null;
  } | null;
}

export interface Sent {
  readonly datagrams: number;
  readonly connections: number;
}

const BATCH = 64;

process.stdout.write(JSON.stringify(await makeNoise((await json(process.stdin)) as Noise)));

async function makeNoise({ family, ends, rounds, sources, real }: Noise): Promise<Sent> {
  const sockets = await Promise.all(
    (sources.length === 0 ? [undefined] : sources).map((source) => open(family, source)),
  );
  const total = ends.length * rounds;
  const every = real === null ? Number.POSITIVE_INFINITY : Math.floor(total / 2 / real.times);
  let connections = 0;
  let datagrams = 0;
  while (datagrams < total) {
    const batch = Array.from({ length: Math.min(BATCH, total - datagrams) }, (_, at) => {
      const number = datagrams + at;
      const end = ends[number % ends.length];
      const socket = sockets[number % sockets.length];
      return end === undefined || socket === undefined ? Promise.resolve() : send(socket, end);
    });
    await Promise.all(batch);
    datagrams += batch.length;
    // The noise has gone on for a while before the first of them.
    while (real !== null && connections < real.times && datagrams > total / 4 + connections * every) {
      await attempt(real);
      connections += 1;
    }
  }
  for (const socket of sockets) socket.close();
  return { datagrams, connections };
}

function open(family: 4 | 6, source: string | undefined): Promise<Socket> {
  const socket = createSocket(family === 4 ? "udp4" : "udp6");
  socket.on("error", () => {});
  return new Promise((resolve) => socket.bind({ port: 0, address: source }, () => resolve(socket)));
}

/** A datagram that is refused is sent all the same: the kernel counts it, and says so to the sender. */
function send(socket: Socket, { address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve) => socket.send("x", port, address, () => resolve()));
}

function attempt(real: { address: string; port: number; source: string | null }): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({
      host: real.address,
      port: real.port,
      ...(real.source === null ? {} : { localAddress: real.source }),
    });
    socket.once("connect", () => socket.destroy());
    socket.on("error", () => {});
    socket.once("close", () => resolve());
  });
}
