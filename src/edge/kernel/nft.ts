/** The nft program: transactions in, listings out. Only `table inet seawall` is ever named. */
import { SeawallError } from "../../core/base/error.ts";
import { TABLE } from "../../core/compile/nftables/table.ts";
import { findProgram, runSync } from "../host/command.ts";

/** LIMIT: a transaction of many rules on a busy machine. */
const LOAD_DEADLINE_MS = 120_000;

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

/** Whether this kernel can be told how long it remembers a connection (nft(8), CT TIMEOUT). Changes nothing. */
export function knowsTimeouts(): boolean {
  const object = "ct timeout probe { protocol udp; l3proto ip; policy = { unreplied : 4 }; }";
  const input = `table inet ${TABLE}_probe {\n${object}\n}\n`;
  return runSync("nft", ["-c", "-f", "-"], { input }).status === 0;
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

/** Returns our table as nft lists it, counters included, without the elements of sets; null when there is none. */
export function ownTable(): string | null {
  const { status, stdout } = runSync("nft", ["-t", "list", "table", "inet", TABLE]);
  return status === 0 ? stdout : null;
}
