/** Every table of nf_tables in this network namespace, ours and those of others, without starting nft. */
import { type TableFamily, tableFamily } from "../../core/drift/family.ts";
import { shownName } from "../../core/drift/shown.ts";
import { type OwnedTable, type RulesTable, tableLabel, withOwners } from "../../core/drift/table-owner.ts";
import { createDumper, type Dumper, fieldsOf, textOf } from "./netlink/dump.ts";
import { closeNetlink, NETLINK_NETFILTER, openNetlink } from "./netlink/socket.ts";

const ANSWER_TIMEOUT_MS = 5_000;
const ALL_FAMILIES = 0;
const NFGENMSG_BYTES = 4;
const MESSAGE = { getTable: 1, getChain: 4 } as const;
/** Attributes of linux/netfilter/nf_tables.h. */
const TABLE = { name: 1 } as const;
const CHAIN = { table: 1, name: 3 } as const;
/** LIMIT: times that the listing begins anew because somebody changed the rules under it. */
const ATTEMPTS_MAX = 5;

/**
 * Returns all tables with the names of their chains, and whose they are as far as names tell. Names are plain text
 * (shownName). LIMIT: iptables-legacy keeps its rules elsewhere. Refuses with SEAWALL_NETLINK.
 */
export function listTables(): OwnedTable[] {
  const socket = openNetlink(NETLINK_NETFILTER, { receiveTimeoutMs: ANSWER_TIMEOUT_MS });
  let interrupted = false;
  const ask = createDumper(socket, ALL_FAMILIES, () => void (interrupted = true));
  try {
    for (let attempt = 1; ; attempt += 1) {
      interrupted = false;
      const tables = readTables(ask);
      if (!interrupted || attempt === ATTEMPTS_MAX) return tables.map(withOwners);
    }
  } finally {
    closeNetlink(socket);
  }
}

function readTables(ask: Dumper): RulesTable[] {
  const tables = ask(MESSAGE.getTable, [], (view, from, to) => ({
    family: familyOf(view, from),
    name: shownName(textOf(view, fieldsOf(view, from, to).get(TABLE.name))),
    chains: [] as string[],
  }));
  const byLabel = new Map(tables.map((table) => [tableLabel(table), table]));
  ask(MESSAGE.getChain, [], (view, from, to) => {
    const fields = fieldsOf(view, from, to);
    const name = shownName(textOf(view, fields.get(CHAIN.table)));
    const table = byLabel.get(tableLabel({ family: familyOf(view, from), name }));
    table?.chains.push(shownName(textOf(view, fields.get(CHAIN.name))));
    return undefined;
  });
  return tables;
}

/** The first byte of a message's nfgenmsg. */
function familyOf(view: DataView, from: number): TableFamily {
  return tableFamily(view.getUint8(from - NFGENMSG_BYTES));
}
