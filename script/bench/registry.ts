import type { BenchContext } from "./context.ts";
import type { BenchResult } from "./result.ts";

export interface Benchmark {
  readonly name: string;
  readonly summary: string;
  /** Programs that are unpacked from the package archive when the machine lacks them, with their package. */
  readonly tools: Readonly<Record<string, string>>;
  /** Installs what is no program of the package archive. Throws with a next step. */
  readonly prepare?: (root: string, say: (line: string) => void) => Promise<void>;
  readonly load: () => Promise<{ readonly measure: (context: BenchContext) => Promise<BenchResult> }>;
}

export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: "apply",
    summary: "200 rules from policy text to enforced, beside ufw adding them one by one",
    tools: {},
    load: () => import("./measure/apply.ts"),
  },
  {
    name: "prefixes",
    summary: "100,000 prefixes from a file to enforced, beside `nft -f` of the same set",
    tools: {},
    load: () => import("./measure/prefixes.ts"),
  },
  {
    name: "connections",
    summary: "new connections a second with 2,000 rules and 100,000 prefixes, beside conntrack alone",
    tools: { nginx: "nginx-light", wrk: "wrk" },
    load: () => import("./measure/connections.ts"),
  },
  {
    name: "evaluate",
    summary: "flows decided a second from text, beside net.BlockList",
    tools: {},
    load: () => import("./measure/evaluate.ts"),
  },
  {
    name: "status",
    summary: "`seawall status`, beside `node -e 0` and `ufw status`",
    tools: {},
    load: () => import("./measure/status.ts"),
  },
  {
    name: "nflog",
    summary: "events a second from the kernel's log to the store",
    tools: {},
    load: () => import("./measure/nflog.ts"),
  },
  {
    name: "dns",
    summary: "forwarded answers with their addresses in the kernel, beside dnsmasq's nftset",
    tools: { dnsmasq: "dnsmasq-base", dnsperf: "dnsperf" },
    load: () => import("./measure/dns.ts"),
  },
  {
    name: "proxy",
    summary: "the explicit proxy, beside squid, tinyproxy, sandbox-runtime's and a Node pipe",
    tools: {
      squid: "squid",
      tinyproxy: "tinyproxy-bin",
      nginx: "nginx-light",
      curl: "curl",
      openssl: "openssl",
    },
    prepare: async (root, say) => (await import("./peer/prepare.ts")).preparePeer(root, say),
    load: () => import("./measure/proxy.ts"),
  },
  {
    name: "audit",
    summary: "`seawall audit` of this machine, beside lynis",
    tools: { lynis: "lynis" },
    load: () => import("./measure/audit.ts"),
  },
];
