// Prints a line of JSON for each change of the rules in its network namespace, and does what it reads on stdin.
import { createInterface } from "node:readline";
import {
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
} from "../../../src/edge/kernel/netlink/interval-elements.ts";
import {
  attribute,
  concat,
  messageType,
  netfilterMessage,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  SUBSYSTEM,
  text,
} from "../../../src/edge/kernel/netlink/message.ts";
import {
  closeNetlink,
  NETLINK_NETFILTER,
  openNetlink,
  sendNetlink,
} from "../../../src/edge/kernel/netlink/socket.ts";
import { loadTransaction } from "../../../src/edge/kernel/nft.ts";
import { watchRules } from "../../../src/edge/kernel/rules-watch.ts";
import { listTables } from "../../../src/edge/kernel/foreign-tables.ts";
import { openSetElements } from "../../../src/edge/kernel/set-elements.ts";

const NFT_MSG_NEWTABLE = 0;
const NFTA_TABLE_NAME = 1;
const NFPROTO_IPV4 = 2;
const [bufferBytes] = process.argv.slice(2);
const say = (line: unknown): void => console.log(JSON.stringify(line));
const watch = watchRules({
  onChange: (change) => say({ change }),
  onLost: () => say({ lost: true }),
  onFailure: (error) => {
    throw error;
  },
  ...(bufferBytes === undefined ? {} : { receiveBufferBytes: Number(bufferBytes) }),
});
let cpu = process.cpuUsage();

const commands: Readonly<Record<string, (argument: string) => void>> = {
  /** Takes rules as a JSON string. */
  load: (rules) => loadTransaction(JSON.parse(rules)),
  /** Pins so many addresses, one transaction each, into the set `pins` of our table. */
  pin: (count) => {
    const elements = openSetElements();
    for (let at = 0; at < Number(count); at += 1) {
      const key = Uint8Array.of(192, 0, at >>> 8, at & 255);
      elements.addTimedElement({ table: "seawall", set: "pins", key, timeoutMs: 60_000, refresh: false });
    }
    elements.close();
  },
  /** Makes a table with any bytes for its name, which nft would not take. */
  table: (name) => makeTable(name),
  storm: (count) => {
    for (let at = 0; at < Number(count); at += 1) makeTable(`storm${at}`);
  },
  tables: () => say({ tables: listTables() }),
  /** Holds this thread up on purpose. */
  stall: (ms) => {
    const until = performance.now() + Number(ms);
    while (performance.now() < until);
  },
  cpu: () => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    say({ cpu: { cpuMs: (user + system) / 1000, heapBytes: process.memoryUsage().heapUsed } });
  },
};

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [command = "", argument = ""] = line.split(/ (.*)/s);
  commands[command]?.(argument);
  say({ done: command });
});
lines.on("close", () => void watch.stop().then(() => say({ stopped: true })));
say({ ready: process.pid });

function makeTable(name: string): void {
  const socket = openNetlink(NETLINK_NETFILTER);
  const marker = { flags: NLM_F_REQUEST, family: 0, resource: SUBSYSTEM.nftables, attributes: [] };
  sendNetlink(
    socket,
    concat([
      netfilterMessage({ ...marker, type: NFNL_MSG_BATCH_BEGIN, sequence: 0 }),
      netfilterMessage({
        type: messageType(SUBSYSTEM.nftables, NFT_MSG_NEWTABLE),
        flags: NLM_F_REQUEST | NLM_F_CREATE,
        sequence: 1,
        family: NFPROTO_IPV4,
        resource: 0,
        attributes: [attribute(NFTA_TABLE_NAME, text(name))],
      }),
      netfilterMessage({ ...marker, type: NFNL_MSG_BATCH_END, sequence: 2 }),
    ]),
  );
  closeNetlink(socket);
}
