/** Puts back what was confirmed, where somebody else changed or removed it. */
import { rewriteChains } from "../core/compile/nftables/rewrite.ts";
import { renderRuleset } from "../core/compile/nftables/render.ts";
import { SeawallError } from "../core/base/error.ts";
import { isClockSet } from "../edge/kernel/clock.ts";
import { type LiveState, readLive } from "../edge/kernel/live.ts";
import { loadTransaction } from "../edge/kernel/nft.ts";
import type { Folders } from "../edge/state/folder.ts";
import { readBoot } from "../edge/state/boot-file.ts";
import type { HistoryEntry } from "../edge/state/history-entry.ts";
import { BOOT, FALLBACK, readKeptRuleset, readKeptText } from "../edge/state/kept-ruleset.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { conditionOf, type Damage, expectedEntry } from "./expected.ts";
import { type Landmark, readLandmark, writeLandmark } from "./landmark.ts";
import { prepareCgroups } from "./scope.ts";
import { parseSeal, sealOf } from "./seal.ts";
import { settleAt } from "./settle.ts";

export type Healing =
  | { readonly kind: "whole" | "rescued" }
  /** Nobody did anything to it; it was loaded again because nobody knew, or because the clock is set now. */
  | { readonly kind: "renewed"; readonly said: string }
  /** `said`: what was wrong. `lost`: a change that waited for its confirm went with it. */
  | { readonly kind: "healed"; readonly said: string; readonly damage: Damage; readonly lost: boolean }
  /** Only what stands in for the rules could be loaded, or not even that. */
  | { readonly kind: "failed"; readonly said: string; readonly damage: Damage; readonly why: string };

/**
 * Looks at the kernel and puts right what is not as it was confirmed. The caller holds the lock of changes. A change
 * that waits for its confirm is not put back: the policy before it is, as at the end of its time.
 */
export function heal(folders: Folders): Healing {
  const live = readLive();
  const landmark = readLandmark(folders);
  const boot = readBoot(folders.state);
  const condition = conditionOf(live, landmark, boot !== null);
  switch (condition.kind) {
    case "whole":
      return releaseHeld(folders, live, landmark, boot) ?? { kind: "whole" };
    case "rescued":
      return { kind: "rescued" };
    case "unproven":
      return prove(folders, live, landmark, boot);
    case "broken":
      return restore(folders, live, { landmark, boot, ...condition });
  }
}

interface Broken {
  readonly landmark: Landmark | null;
  readonly boot: string | null;
  readonly damage: Damage;
  readonly said: string;
}

function restore(folders: Folders, live: LiveState | null, broken: Broken): Healing {
  const { damage, said, landmark } = broken;
  const entry = expectedEntry(folders, landmark, broken.boot);
  const lost = live === null ? hadCandidate(landmark) : live.candidate !== null && live.leaseMs !== null;
  if (entry === undefined) return nothingToRestore(folders, live, broken);
  try {
    // What the kernel held without what ends by the clock comes back without it, also when all of it is gone.
    const isHeld = landmark === null || landmark.held || sealHeld(live);
    const inPlace = damage === "rules" && !lost && rewriteInPlace(folders, live, entry);
    if (!inPlace) loadWhole(folders, entry, isHeld && !isClockSet());
    writeLandmark(folders);
    return { kind: "healed", said, damage, lost };
  } catch (cause) {
    if (!(cause instanceof SeawallError)) throw cause;
    return { kind: "failed", said, damage, why: `${cause.message}; ${loadFallback(folders, entry)}` };
  }
}

/** Whether a change waited when the last one of us looked; the kernel cannot be asked any more. */
function hadCandidate(landmark: Landmark | null): boolean {
  return Object.keys(landmark?.digests ?? {}).some(
    (generation) => Number(generation) !== landmark?.committed,
  );
}

/** The first apply was waiting when the table went: there is nothing confirmed that could be put back. */
function nothingToRestore(folders: Folders, live: LiveState | null, { said, damage }: Broken): Healing {
  if (live === null) {
    writeLandmark(folders);
    return { kind: "healed", said, damage, lost: true };
  }
  return { kind: "failed", said, damage, why: "nobody kept what was confirmed" };
}

/** Returns whether the rules alone could be put back; every map, pin and counter then is as it was. */
function rewriteInPlace({ state }: Folders, live: LiveState | null, entry: HistoryEntry): boolean {
  const ruleset = readKeptRuleset(state, entry.id);
  if (live === null || ruleset === null || sealHeld(live)) return false;
  try {
    loadTransaction(rewriteChains(ruleset, live));
    return true;
  } catch (cause) {
    if (cause instanceof SeawallError && cause.code === "SEAWALL_NFT_REFUSED") return false;
    throw cause;
  }
}

function loadWhole({ state }: Folders, entry: HistoryEntry, held: boolean): void {
  const policy = readResolvedPolicy(state, entry.id);
  if (policy !== null) prepareCgroups(policy);
  const ruleset = held ? null : readKeptRuleset(state, entry.id);
  const text =
    ruleset === null ? readKeptText(state, entry.id, BOOT) : renderRuleset(ruleset, [], sealOf(entry));
  if (text === null) {
    throw new SeawallError("SEAWALL_STATE", `the ruleset of policy ${entry.id} is not kept`, {
      help: "seawall apply",
    });
  }
  loadTransaction(text);
}

/** Fails closed: what could not be put back is not left open. Returns what was done. */
function loadFallback({ state }: Folders, entry: HistoryEntry): string {
  const text = readKeptText(state, entry.id, FALLBACK);
  if (text === null) return "nothing stands in for it";
  try {
    loadTransaction(text);
    return "until `seawall apply` only SSH comes in and the agents reach nothing";
  } catch (cause) {
    return `nothing could be loaded in its place (${cause instanceof Error ? cause.message : String(cause)})`;
  }
}

/** After a start nobody knows what is in the kernel, but what was confirmed can be put there. */
function prove(
  folders: Folders,
  live: LiveState | null,
  landmark: Landmark | null,
  boot: string | null,
): Healing {
  const waiting = live?.candidate != null && live.leaseMs !== null;
  if (waiting || live?.committed == null) return { kind: "whole" };
  const entry = expectedEntry(folders, landmark, boot);
  const seal = parseSeal(live.seals.get(live.committed) ?? "");
  // Something else than the next start would load: a change that was killed before it wrote that down.
  if (entry === undefined || entry.id !== seal?.id) {
    settleAt(folders, live, live.committed);
    return { kind: "whole" };
  }
  const said = "the rules of this start are what was confirmed";
  return renewed(restore(folders, live, { landmark, boot, damage: "elements", said }));
}

/** What is allowed only until a time comes back once the clock is known to be right. */
function releaseHeld(
  folders: Folders,
  live: LiveState | null,
  landmark: Landmark | null,
  boot: string | null,
): Healing | null {
  if (!sealHeld(live) || (live?.candidate != null && live.leaseMs !== null) || !isClockSet()) return null;
  const said = "the clock is set: what is allowed until a time is back";
  return renewed(restore(folders, live, { landmark, boot, damage: "elements", said }));
}

function renewed(healing: Healing): Healing {
  return healing.kind === "healed" ? { kind: "renewed", said: healing.said } : healing;
}

function sealHeld(live: LiveState | null): boolean {
  if (live?.committed == null) return false;
  return parseSeal(live.seals.get(live.committed) ?? "")?.held === true;
}
