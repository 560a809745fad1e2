/** The comment that stands in the kernel beside a generation: which policy of the history it is, and its mode. */

import { COMMENT_MAX_BYTES } from "../core/compile/nftables/text.ts";

/** Why a policy is in force: somebody applied it, or as a panic, or as a pause. */
export type PolicyKind = "policy" | "panic" | "pause";

export interface Seal {
  readonly id: number;
  readonly mode: { readonly inbound: string; readonly outbound: string };
  readonly sha256: string;
  /** Absent: somebody applied it. */
  readonly kind?: PolicyKind;
  /** Whether what is allowed only until a time is left out, because nobody knew whether the clock is right. */
  readonly held?: boolean;
  /** Of a panic: what it took the place of. Absent in seals of versions that did not say it. */
  readonly over?: SealOver;
}

/** What a panic took the place of. `unknown`: something, but nobody could tell which policy it was. */
export type SealOver =
  | { readonly kind: "nothing" | "unknown" }
  | { readonly kind: "policy"; readonly id: number; readonly sha256: string; readonly held: boolean };

/** Characters of the hash of what a panic took the place of; the history has all of it. */
const OVER_HASH_CHARS = 6;

/** Returns a policy as what a panic takes the place of. */
export function overOf({ id, sha256, held = false }: Pick<Seal, "id" | "sha256" | "held">): SealOver {
  return { kind: "policy", id, sha256: sha256.slice(0, OVER_HASH_CHARS), held };
}

/** The seal of rules that stand in for those that could not be loaded. */
export const FALLBACK_SEAL = "fallback: the last confirmed rules could not be loaded";

/** Returns the seal of a policy. */
export function sealOf({ id, mode, sha256, kind = "policy", held = false, over }: Seal): string {
  const words = `${kind === "policy" ? "" : ` ${kind}`}${held ? " held" : ""}`;
  const text = `policy ${id} ${mode.inbound} ${mode.outbound} sha256 ${sha256}${words}`;
  // Ids of ten thousands of changes leave no room for a hash, and then not even for the id.
  const shorter = [overText(over, true), overText(over, false), overText({ kind: "unknown" }, false)];
  const fits = shorter.find((one) => text.length + one.length <= COMMENT_MAX_BYTES);
  return `${text}${fits ?? ""}`;
}

function overText(over: SealOver | undefined, withHash: boolean): string {
  if (over === undefined) return "";
  if (over.kind !== "policy") return ` over ${over.kind}`;
  return ` over ${over.id}${withHash ? `/${over.sha256}` : ""}${over.held ? "/held" : ""}`;
}

const SEAL =
  /^policy (\d{1,9}) (observe|enforce) (observe|enforce) sha256 ([0-9a-f]{64})(?: (panic|pause))?( held)?(?: over (nothing|unknown|\d{1,9}(?:\/[0-9a-f]{6})?(?:\/held)?))?$/;

/** Returns what a seal says, or undefined for any other text. */
export function parseSeal(text: string): ParsedSeal | undefined {
  const [, id, inbound, outbound, sha256, kind, held, over] = SEAL.exec(text) ?? [];
  if (id === undefined || inbound === undefined || outbound === undefined || sha256 === undefined)
    return undefined;
  return {
    id: Number(id),
    mode: { inbound, outbound },
    sha256,
    kind: kind === "panic" || kind === "pause" ? kind : "policy",
    held: held !== undefined,
    over: over === undefined ? null : parseOver(over),
  };
}

/** `over`: null where it is not said. */
type ParsedSeal = Required<Omit<Seal, "over">> & { readonly over: SealOver | null };

function parseOver(text: string): SealOver {
  if (text === "nothing" || text === "unknown") return { kind: text };
  const [id = "", ...more] = text.split("/");
  const sha256 = more.find((one) => one !== "held") ?? "";
  return { kind: "policy", id: Number(id), sha256, held: more.includes("held") };
}
