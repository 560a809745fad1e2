/** Services that root opens on this host for as long as a proof runs: what reaches them was not held. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";

export interface Witness {
  /** One free port on these addresses of this host, for TCP and UDP. */
  readonly port: number;
  readonly addresses: readonly string[];
  /** How many connections and datagrams reached it so far. */
  readonly heard: () => number;
  /** Whether root itself reaches a place, so that a refusal elsewhere means something. */
  readonly reaches: (address: string, port: number) => Promise<boolean>;
  readonly close: () => void;
}

const REACH_MS = 2_500;
const PORT_ATTEMPTS = 20;

export interface WitnessWish {
  /** 0: any that is free. */
  readonly port: number;
  readonly addresses: readonly string[];
}

/** Listens on one port of all these addresses that this host has. It says nothing and closes. */
export async function openWitness({ port, addresses }: WitnessWish): Promise<Witness> {
  for (let attempt = 1; ; attempt += 1) {
    const opened = await listenAll(port, [...new Set(addresses)]);
    if (opened !== null) return opened;
    if (attempt === PORT_ATTEMPTS) throw new Error("no port is free on all addresses of this host");
  }
}

/** Null: the free port of one address is taken on another. A port that was wished for is left to who has it. */
async function listenAll(wish: number, wanted: readonly string[]): Promise<Witness | null> {
  let count = 0;
  let port = wish;
  const closers: (() => void)[] = [];
  const addresses: string[] = [];
  const close = (): void => closers.forEach((one) => one());
  for (const address of wanted) {
    const server = createServer((socket) => {
      count += 1;
      socket.on("error", () => socket.destroy());
      socket.end();
    });
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4").on("message", () => {
      count += 1;
    });
    closers.push(
      () => server.close(),
      () => socket.close(),
    );
    try {
      server.listen({ host: address, port });
      await once(server, "listening");
      const bound = server.address();
      port = typeof bound === "object" && bound !== null ? bound.port : port;
      socket.bind(port, address);
      await once(socket, "listening");
      addresses.push(address);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || wish !== 0) continue;
      close();
      return null;
    }
  }
  return { port, addresses, heard: () => count, reaches, close };
}

function reaches(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const done = (isThere: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isThere);
    };
    const timer = setTimeout(() => done(false), REACH_MS);
    socket.once("connect", () => done(true));
    // Our gate resets whoever was not diverted to it: somebody is there.
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code === "ECONNRESET"));
  });
}

/** The first address of each family by which others know this host, public ones before private ones. */
export function outerAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const isPrivate = (address: string): boolean =>
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|f[cd])/.test(address);
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    const own = outer.filter((one) => one.family === family).map(({ address }) => address);
    return own.find((address) => !isPrivate(address)) ?? own[0] ?? [];
  });
}
