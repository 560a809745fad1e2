/** The nft program: transactions in, listings out. Only `table inet seawall` is ever named. */
import { SeawallError } from "../../core/base/error.ts";
import type { LiveTable } from "../../core/compile/nftables/transaction.ts";
import { LEASE_SET, TABLE } from "../../core/compile/nftables/table.ts";
import { findProgram, runSync } from "../host/command.ts";
import { readLeaseMs } from "./table-text.ts";

/** LIMIT: a transaction of many rules on a busy machine. */
const LOAD_DEADLINE_MS = 120_000;

/** What the kernel says about us, whatever our own files say. */
export interface LiveState {
  readonly table: LiveTable;
  /** The generation that holds without a lease; null when Seawall was off before the candidate. */
  readonly committed: number | null;
  /** The generation that the hooks go to under the lease; it judges only while `leaseMs` is not null. */
  readonly candidate: number | null;
  /** What is left of the lease, or null when it is over. */
  readonly leaseMs: number | null;
  /** The comment beside each generation, written when it was proposed. */
  readonly seals: ReadonlyMap<number, string>;
}

/** Refuses with one message and one command when nft is missing. */
export function requireNft(): void {
  if (findProgram("nft") === undefined) {
    throw new SeawallError("SEAWALL_NO_NFT", "the `nft` program is not installed", {
      help: "apt-get install nftables",
    });
  }
}

/** Loads one transaction: all of it or nothing. */
export function loadTransaction(text: string): void {
  const result = runSync("nft", ["-f", "-"], { input: text, deadlineMs: LOAD_DEADLINE_MS });
  if (result.status === 0) return;
  const first = result.stderr.split("\n").find((line) => line.trim() !== "") ?? "no reason given";
  throw new SeawallError("SEAWALL_NFT_REFUSED", `nft refused the ruleset: ${first}`, {
    still: "the kernel keeps the rules it had",
    help: "seawall compile nftables --policy FILE | nft -c -f -",
    cause: new Error(result.stderr.slice(0, 4_096)),
  });
}

/** Returns what the kernel holds of our table, or null when there is none. Large sets are not read. */
export function readLive(): LiveState | null {
  const result = runSync("nft", ["-j", "-t", "list", "table", "inet", TABLE]);
  if (result.status !== 0) {
    if (/No such file or directory/.test(result.stderr)) return null;
    throw new SeawallError(
      "SEAWALL_NFT_REFUSED",
      `nft cannot list our table: ${result.stderr.trim().slice(0, 200)}`,
      {
        still: "nothing was changed",
      },
    );
  }
  const objects = (JSON.parse(result.stdout) as { readonly nftables: readonly Listed[] }).nftables;
  const table: LiveTable = {
    chains: named(objects, "chain"),
    sets: named(objects, "set"),
    maps: named(objects, "map"),
    counters: named(objects, "counter"),
  };
  const hook = hookTargets(objects);
  return {
    table,
    ...hook,
    leaseMs: table.sets.has(LEASE_SET) ? readLeaseMs() : null,
    seals: sealsOf(objects),
  };
}

interface Listed {
  readonly chain?: { readonly name: string };
  readonly set?: { readonly name: string };
  readonly map?: { readonly name: string };
  readonly counter?: { readonly name: string; readonly comment?: string };
  readonly rule?: { readonly chain: string; readonly expr: readonly Record<string, unknown>[] };
}

function named(objects: readonly Listed[], kind: "chain" | "set" | "map" | "counter"): Set<string> {
  return new Set(objects.flatMap((object) => object[kind]?.name ?? []));
}

/** `goto gN_prerouting` is the committed generation, the same behind `@lease` the candidate. */
function hookTargets(objects: readonly Listed[]): { committed: number | null; candidate: number | null } {
  let committed: number | null = null;
  let candidate: number | null = null;
  for (const { rule } of objects) {
    if (rule?.chain !== "prerouting") continue;
    const target = rule.expr
      .map((part) => (part["goto"] as { target?: string } | undefined)?.target)
      .find(Boolean);
    const generation = Number(/^g(\d{1,2})\/prerouting$/.exec(target ?? "")?.[1]);
    if (!Number.isInteger(generation)) continue;
    if (rule.expr.length > 1) candidate = generation;
    else committed = generation;
  }
  return { committed, candidate };
}

function sealsOf(objects: readonly Listed[]): Map<number, string> {
  const seals = new Map<number, string>();
  for (const { counter } of objects) {
    const generation = /^seal_g(\d{1,2})$/.exec(counter?.name ?? "")?.[1];
    if (generation !== undefined) seals.set(Number(generation), counter?.comment ?? "");
  }
  return seals;
}

/** Returns the text of every native table but ours, without the elements of sets. */
export function foreignRuleset(): string {
  const tables = runSync("nft", ["-j", "list", "tables"]);
  if (tables.status !== 0) return "";
  const listed = (JSON.parse(tables.stdout) as { readonly nftables: readonly ListedTable[] }).nftables;
  return listed
    .flatMap(({ table }) =>
      table === undefined || (table.family === "inet" && table.name === TABLE) ? [] : [table],
    )
    .map(({ family, name }) => runSync("nft", ["-s", "-t", "list", "table", family, name]).stdout)
    .join("\n");
}

interface ListedTable {
  readonly table?: { readonly family: string; readonly name: string };
}
