/** The web that OpenClaw meets: started in the internet's namespace, where packets are counted before they are served. */
import process from "node:process";
import { SeawallError } from "../../core/base/error.ts";
import { runSync, start } from "../../edge/host/command.ts";
import { moduleFile } from "../place.ts";
import type { Certified } from "./certificate.ts";

/** What the process that serves is told. */
export interface WebOrder extends Pick<Certified, "key" | "certificate"> {
  /** The name that is the model; the others are pages. */
  readonly model: string;
  readonly http: number;
  readonly https: number;
}

export interface Web {
  /** Packets that came for these addresses so far, of any protocol, answered or not. */
  readonly packetsTo: (addresses: readonly string[]) => number;
}

const HTTP = 8_080;
const HTTPS = 8_443;
const READY_DEADLINE_MS = 10_000;
const STDERR_CHARS_MAX = 4_000;

/**
 * Serves these addresses on 80 and 443, whoever else listens there, and counts what comes for any address. `pid` is
 * a process of the internet. It ends with the world.
 */
export async function serveWeb(
  pid: number,
  addresses: readonly string[],
  certified: Certified,
  model: string,
): Promise<Web> {
  const enter = [`--net=/proc/${pid}/ns/net`, "--"];
  const nft = (input: string, ...words: readonly string[]): string => {
    const { status, stdout, stderr } = runSync("nsenter", [...enter, "nft", ...words], { input });
    if (status !== 0) throw failed(`nft in the internet: ${stderr.trim()}`);
    return stdout;
  };
  await startServer([...enter, process.execPath, moduleFile("./openclaw/internet/main")], {
    key: certified.key,
    certificate: certified.certificate,
    model,
    http: HTTP,
    https: HTTPS,
  });
  nft(rules(addresses), "-f", "-");
  return {
    packetsTo: (wanted) => {
      const counts = countsIn(nft("", "-j", "list", "table", "inet", "openclaw"));
      return wanted.reduce((sum, address) => sum + (counts.get(address) ?? 0), 0);
    },
  };
}

function startServer(words: readonly string[], order: WebOrder): Promise<void> {
  const child = start("nsenter", words, ["pipe", "pipe", "pipe"]);
  let wrong = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    wrong = (wrong + text).slice(-STDERR_CHARS_MAX);
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.write(`${JSON.stringify(order)}\n`);
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(failed(`its web did not start: ${wrong.trim()}`));
    const timer = setTimeout(fail, READY_DEADLINE_MS);
    child.once("close", fail);
    child.stdout?.once("data", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Counted before anything is judged or translated. Other addresses stay with the services that were there before. */
function rules(addresses: readonly string[]): string {
  const six = addresses.filter((address) => address.includes(":"));
  const four = addresses.filter((address) => !address.includes(":"));
  return `table inet openclaw {
  set four { type ipv4_addr; size 4096; flags dynamic; }
  set six { type ipv6_addr; size 4096; flags dynamic; }
  chain arrived {
    type filter hook prerouting priority raw; policy accept;
    iifname "eth0" meta nfproto ipv4 update @four { ip daddr counter }
    iifname "eth0" meta nfproto ipv6 update @six { ip6 daddr counter }
  }
  chain web {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "eth0" ip daddr { ${four.join(", ")} } jump redirected
    iifname "eth0" ip6 daddr { ${six.join(", ")} } jump redirected
  }
  chain redirected {
    tcp dport 80 redirect to :${HTTP}
    tcp dport 443 redirect to :${HTTPS}
  }
}
`;
}

interface Listed {
  readonly nftables: readonly {
    readonly set?: {
      readonly elem?: readonly {
        readonly elem: { readonly val: string; readonly counter: { readonly packets: number } };
      }[];
    };
  }[];
}

function countsIn(json: string): ReadonlyMap<string, number> {
  const { nftables } = JSON.parse(json) as Listed;
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return new Map(elements.map(({ elem }) => [elem.val, elem.counter.packets]));
}

function failed(why: string): SeawallError {
  return new SeawallError("SEAWALL_LAB", `OpenClaw's internet cannot be built here: ${why}`, {
    still: "nothing of this machine was changed",
  });
}
