import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Host, startHost } from "../support/host/host.ts";
import type { Line, Seen } from "./internet/seen.ts";
import { ADDRESSES, RESOLVER, ZONE } from "./internet/zone.ts";

const START_DEADLINE_MS = 15_000;
const MARK_DEADLINE_MS = 10_000;
const INTERNET = fileURLToPath(new URL("./internet/main.ts", import.meta.url));

/** What the internet saw while something was done. */
export type Watched<Value> = {
  readonly value: Value;
  readonly seen: readonly Seen[];
  /** Packets that came for an address, of any protocol, answered or not. */
  readonly packetsTo: (address: string) => number;
};

/** A host and around it an internet of public-looking addresses that remembers everything that reaches it. */
export type World = {
  readonly host: Host;
  /** Does `work` and tells what reached the internet meanwhile, whoever sent it. */
  readonly during: <Value>(work: () => Promise<Value>) => Promise<Watched<Value>>;
  readonly stop: () => Promise<void>;
};

/** Starts the host and its internet; the host trusts the internet's certificates as it would a public root. */
export async function startWorld(): Promise<World> {
  const host = await startHost();
  try {
    for (const address of ADDRESSES) await host.upstream.own(address);
    await host.shell(SET_UP);
    await mustUpstream(host, ["nft", "-f", "-"], COUNT_PACKETS);
    const internet = await startInternet(host);
    return { host, during: (work) => watch(host, internet, work), stop: host.stop };
  } catch (error) {
    await host.stop();
    throw error;
  }
}

type Internet = { readonly seen: Seen[]; readonly settled: () => Promise<void> };

/** INVARIANT: events and marks come through one pipe in order, so nothing seen before a mark comes after it. */
async function startInternet(host: Host): Promise<Internet> {
  const child = host.upstream.start([process.execPath, INTERNET, "/run/tls/site.key", "/run/tls/site.pem"]);
  const seen: Seen[] = [];
  const waiting = new Map<string, () => void>();
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error("the internet has no pipes");
  let wrong = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    wrong += text;
  });
  stdin.on("error", () => {});
  const met = (what: string, limitMs: number) =>
    new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`the internet did not say \`${what}\`: ${wrong}`));
      const timer = setTimeout(fail, limitMs);
      child.once("close", fail);
      waiting.set(what, () => {
        clearTimeout(timer);
        child.off("close", fail);
        resolve();
      });
    });
  createInterface({ input: stdout }).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    if (line.kind === "ready") waiting.get("ready")?.();
    else if (line.kind === "mark") waiting.get(line.text)?.();
    else seen.push(line);
  });
  await met("ready", START_DEADLINE_MS);
  let marks = 0;
  const settled = () => {
    marks += 1;
    const answer = met(`mark ${marks}`, MARK_DEADLINE_MS);
    stdin.write(`mark ${marks}\n`);
    return answer;
  };
  return { seen, settled };
}

async function watch<Value>(
  host: Host,
  { seen, settled }: Internet,
  work: () => Promise<Value>,
): Promise<Watched<Value>> {
  await settled();
  const from = seen.length;
  const before = await packetCounts(host);
  const value = await work();
  await settled();
  const after = await packetCounts(host);
  const packetsTo = (address: string) => (after.get(address) ?? 0) - (before.get(address) ?? 0);
  return { value, seen: seen.slice(from), packetsTo };
}

async function packetCounts(host: Host): Promise<ReadonlyMap<string, number>> {
  const text = await mustUpstream(host, ["nft", "-j", "list", "table", "inet", "watch"], "");
  type Element = { readonly elem: { readonly val: string; readonly counter: { readonly packets: number } } };
  const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: readonly Element[] } }[] };
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return new Map(elements.map(({ elem }) => [elem.val, elem.counter.packets]));
}

async function mustUpstream(host: Host, argv: readonly string[], input: string): Promise<string> {
  const result = await host.upstream.run(argv, { input });
  if (result.code === 0) return result.stdout;
  throw new Error(`${argv.join(" ")}: ${result.stderr}`);
}

/** Before anything judges a packet in there. Neighbour discovery is the wire's own and counts under other addresses. */
const COUNT_PACKETS = `
table inet watch {
  set four { type ipv4_addr; size 4096; flags dynamic; }
  set six { type ipv6_addr; size 4096; flags dynamic; }
  chain arrived {
    type filter hook prerouting priority raw; policy accept;
    iifname "u0" meta nfproto ipv4 update @four { ip daddr counter }
    iifname "u0" meta nfproto ipv6 update @six { ip6 daddr counter }
  }
}
`;

const SUBJECT_NAMES = [
  ...Object.keys(ZONE).map((name) => `DNS:${name}`),
  ...ADDRESSES.map((one) => `IP:${one}`),
];

const SET_UP = `
echo 'nameserver ${RESOLVER}' >/etc/resolv.conf
mkdir -m 755 /run/tls
cd /run/tls
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -subj '/CN=Root of this test' -days 30 -out ca.pem
openssl ecparam -name prime256v1 -genkey -noout -out site.key
openssl req -new -key site.key -subj '/CN=site' -out site.csr
echo 'subjectAltName=${SUBJECT_NAMES.join(",")}' >names
openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 30 -extfile names -out site.pem
chmod 600 ./*.key
mkdir -p /etc/ssl/certs
cat ca.pem >>/etc/ssl/certs/ca-certificates.crt
`;
