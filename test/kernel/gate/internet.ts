/** The internet of a world: started, told what to say, and heard about what reached it. */
import type { Host } from "../../support/host/host.ts";
import { fileURLToPath } from "node:url";
import { onLines } from "./line-client.ts";
import type { FromInternet, Seen, ToInternet } from "./seen.ts";
import { ADDRESSES, type Moods, type Zone } from "./zone.ts";

const START_DEADLINE_MS = 20_000;
const SCRIPT = fileURLToPath(new URL("./in-namespace/internet.ts", import.meta.url));

/** What reached the internet while something was done. */
export interface Watched<Value> {
  readonly value: Value;
  readonly seen: readonly Seen[];
  /** Questions that came to any name server, as `name TYPE-NUMBER`. */
  readonly asked: readonly string[];
  /** Packets that came for an address, of any protocol, or of one protocol and port: `("1.2.3.4", "udp 443")`. */
  readonly packets: (address: string, what?: string) => number;
}

export interface Internet {
  readonly during: <Value>(work: () => Promise<Value>) => Promise<Watched<Value>>;
  readonly setZone: (zone: Zone) => Promise<void>;
  readonly setMoods: (moods: Moods) => Promise<void>;
}

/** Starts it in the upstream of a host. It ends with the host. */
export async function startInternet(host: Host): Promise<Internet> {
  await must(host, ["ip", "-batch", "-"], ADDRESSES.map(takeAddress).join("\n"));
  await must(host, ["nft", "-f", "-"], COUNT_PACKETS);
  await host.shell(CERTIFICATE);
  const child = host.upstream.start([process.execPath, SCRIPT, "/run/tls/key.pem", "/run/tls/cert.pem"]);
  const seen: Seen[] = [];
  const marks = new Map<number, () => void>();
  let wrong = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    wrong += text;
  });
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (): void => reject(new Error(`the internet did not start: ${wrong}`));
    const timer = setTimeout(fail, START_DEADLINE_MS);
    child.once("close", fail);
    onLines(child, (line) => {
      const said = JSON.parse(line) as FromInternet;
      if (said.kind === "mark") marks.get(said.id)?.();
      else if (said.kind !== "ready") seen.push(said);
      else {
        clearTimeout(timer);
        resolve();
      }
    });
  });
  await ready;
  const tell = (message: ToInternet): void => void child.stdin?.write(`${JSON.stringify(message)}\n`);
  let last = 0;
  /** INVARIANT: one pipe in order, so nothing that was seen before a mark comes after it. */
  const settled = (): Promise<void> => {
    last += 1;
    const id = last;
    return new Promise((resolve) => {
      marks.set(id, resolve);
      tell({ kind: "mark", id });
    });
  };
  return {
    during: async (work) => {
      await settled();
      const from = seen.length;
      const before = await packetCounts(host);
      const value = await work();
      await settled();
      const after = await packetCounts(host);
      const since = seen.slice(from);
      return {
        value,
        seen: since,
        asked: since.flatMap((one) => (one.kind === "dns" ? [`${one.name} ${one.type}`] : [])),
        packets: (address, what) => count(after, address, what) - count(before, address, what),
      };
    },
    setZone: (zone) => {
      tell({ kind: "zone", zone });
      return settled();
    },
    setMoods: (moods) => {
      tell({ kind: "moods", moods });
      return settled();
    },
  };
}

type Counts = ReadonlyMap<string, number>;

function count(counts: Counts, address: string, what: string | undefined): number {
  if (what !== undefined) return counts.get(`${address} ${what}`) ?? 0;
  return [...counts].reduce(
    (sum, [key, packets]) => (key.startsWith(`${address} `) ? sum + packets : sum),
    0,
  );
}

async function packetCounts(host: Host): Promise<Counts> {
  const text = await must(host, ["nft", "-j", "list", "table", "inet", "watch"], "");
  interface Element {
    readonly elem: {
      readonly val: { readonly concat: readonly (string | number)[] };
      readonly counter: { readonly packets: number };
    };
  }
  const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: readonly Element[] } }[] };
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return new Map(elements.map(({ elem }) => [elem.val.concat.join(" "), elem.counter.packets]));
}

async function must(host: Host, argv: readonly string[], input: string): Promise<string> {
  const result = await host.upstream.run(argv, { input });
  if (result.code === 0) return result.stdout;
  throw new Error(`${argv.join(" ")}: ${result.stderr}`);
}

function takeAddress(address: string): string {
  return address.includes(":")
    ? `addr replace ${address}/128 dev u0 nodad`
    : `addr replace ${address}/32 dev u0`;
}

/** Before anything judges a packet in there. */
const COUNT_PACKETS = `
table inet watch {
  set ports4 { type ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic; }
  set ports6 { type ipv6_addr . inet_proto . inet_service; size 65535; flags dynamic; }
  set other4 { type ipv4_addr . inet_proto; size 65535; flags dynamic; }
  set other6 { type ipv6_addr . inet_proto; size 65535; flags dynamic; }
  chain arrived {
    type filter hook prerouting priority raw; policy accept;
    iifname != "u0" accept
    tcp flags & rst == rst accept comment "the kernel's answer to what still comes from here; it carries nothing"
    meta nfproto ipv4 meta l4proto { tcp, udp } update @ports4 { ip daddr . meta l4proto . th dport counter } accept
    meta nfproto ipv6 meta l4proto { tcp, udp } update @ports6 { ip6 daddr . meta l4proto . th dport counter } accept
    meta nfproto ipv4 update @other4 { ip daddr . meta l4proto counter }
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
    meta nfproto ipv6 update @other6 { ip6 daddr . meta l4proto counter }
  }
}
`;

const CERTIFICATE = `
mkdir -m 755 /run/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=site \
  -keyout /run/tls/key.pem -out /run/tls/cert.pem 2>/dev/null
`;
