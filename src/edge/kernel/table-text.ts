/** Our table as text, by the lightest listing nft has: for `status` and for noticing changes by others. */
import { SeawallError } from "../../core/base/error.ts";
import { LEASE_SET, TABLE } from "../../core/compile/nftables/table.ts";
import { runSync } from "../host/command.ts";
import { durationMs } from "./duration.ts";

export interface TableText {
  readonly committed: number | null;
  readonly candidate: number | null;
  /** What is left of the lease, or null when it is over. */
  readonly leaseMs: number | null;
  /** Whether the hooks hold nothing but our own `goto`s. */
  readonly hooksAreOurs: boolean;
  /** The comment beside each generation. */
  readonly seals: ReadonlyMap<number, string>;
  /** The chains, maps and static sets of one generation as listed: the same as long as nobody changes them. */
  readonly textOf: (generation: number) => string;
}

/**
 * Returns our table, with the elements of maps and sets when `whole`, or null when the kernel has none. Refuses
 * when nft is not there or not allowed: that nothing can be seen does not mean that nothing is there.
 */
export function readTableText(whole: boolean): TableText | null {
  const flags = whole ? ["-s"] : ["-s", "-t"];
  const result = runSync("nft", [...flags, "list", "table", "inet", TABLE]);
  if (result.status !== 0) {
    if (/No such file or directory/.test(result.stderr)) return null;
    if (/Operation not permitted/.test(result.stderr)) {
      throw new SeawallError("SEAWALL_NOT_ROOT", "only root may see what the kernel holds", {
        help: "sudo seawall status",
      });
    }
    throw new SeawallError(
      "SEAWALL_NFT_REFUSED",
      `nft cannot list our table: ${result.stderr.trim().slice(0, 200)}`,
    );
  }
  const blocks = blocksOf(result.stdout);
  const hooks = ["prerouting", "output"].map((hook) => rulesOf(blocks.get(`chain ${hook}`) ?? ""));
  const [prerouting = []] = hooks;
  const candidate = generationIn(prerouting, LEASED);
  return {
    candidate,
    committed: generationIn(prerouting, PLAIN),
    leaseMs: candidate === null ? null : readLeaseMs(),
    hooksAreOurs: hooks.flat().every((rule) => LEASED.test(rule) || PLAIN.test(rule)),
    seals: sealsOf(blocks),
    textOf: (generation) => textOf(blocks, generation),
  };
}

const LEASED = /^meta nfproto @lease goto g(\d{1,2})\/(?:prerouting|output)$/;
const PLAIN = /^goto g(\d{1,2})\/(?:prerouting|output)$/;

/** The listing as blocks by `kind name`: nft indents each by one tab. */
function blocksOf(listing: string): Map<string, string> {
  const blocks = new Map<string, string>();
  for (const match of listing.matchAll(/^\t(chain|set|map|counter) (\S+) \{\n([\s\S]*?)^\t\}$/gm)) {
    blocks.set(`${match[1]} ${match[2]}`, match[3] ?? "");
  }
  return blocks;
}

/** The rules of a base chain: every line but the one that says which hook it is. */
function rulesOf(body: string): string[] {
  return body
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("type filter hook "));
}

function generationIn(rules: readonly string[], pattern: RegExp): number | null {
  for (const rule of rules) {
    const generation = pattern.exec(rule)?.[1];
    if (generation !== undefined) return Number(generation);
  }
  return null;
}

function sealsOf(blocks: ReadonlyMap<string, string>): Map<number, string> {
  const seals = new Map<number, string>();
  for (const [title, body] of blocks) {
    const generation = /^counter seal_g(\d{1,2})$/.exec(title)?.[1];
    if (generation !== undefined) seals.set(Number(generation), /comment "(.*)"/.exec(body)?.[1] ?? "");
  }
  return seals;
}

/** What judges in a generation; shared chains belong to each, and so do the sets that its chains name. */
function textOf(blocks: ReadonlyMap<string, string>, generation: number): string {
  const own = new RegExp(`^(?:chain|map|set) (?:g${generation}/|refuse$|drop_silently$)`);
  const judging = [...blocks].filter(([title]) => own.test(title));
  const rules = judging.map(([, body]) => body).join("");
  const sets = [...blocks].filter(
    ([title]) => title.startsWith("set prefixes") && rules.includes(`@${title.slice("set ".length)} `),
  );
  return [...judging, ...sets].map(([title, body]) => `${title}\n${sortElements(body)}`).join("");
}

/** A hash map has no order of its own. */
function sortElements(body: string): string {
  return body.replace(/elements = \{([\s\S]*?)\}/, (_, elements: string) => {
    const sorted = elements
      .split(",")
      .map((element) => element.trim())
      .sort();
    return `elements = {${sorted.join(", ")}}`;
  });
}

/** The kernel's own clock of the lease: the shorter of the two families, or null when either is gone. */
export function readLeaseMs(): number | null {
  const result = runSync("nft", ["list", "set", "inet", TABLE, LEASE_SET]);
  const left = [...result.stdout.matchAll(/expires ([0-9hms]+)/g)].map((match) => durationMs(match[1] ?? ""));
  return left.length < 2 ? null : Math.min(...left);
}
