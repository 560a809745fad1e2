/** What a panic took the place of: written into the kernel beside it, so that its end does not depend on our files. */
import { SeawallError } from "../core/base/error.ts";
import type { LiveState } from "../edge/kernel/live.ts";
import { readBoot } from "../edge/state/boot-file.ts";
import type { Folders } from "../edge/state/folder.ts";
import { type HistoryEntry, readHistoryEntry } from "../edge/state/history-entry.ts";
import { readHistory } from "../edge/state/history.ts";
import { readResolvedPolicy } from "../edge/state/resolved-policy.ts";
import { expectedEntry } from "./expected.ts";
import { readLandmark } from "./landmark.ts";
import { overOf, parseSeal, type SealOver } from "./seal.ts";
import { entryOf } from "./sealed-entry.ts";
import { isRescue } from "./stand-in.ts";

/** What comes back when a panic ends. */
export type Before =
  | { readonly kind: "nothing" }
  /** `held`: it was in force without what ends by the clock. */
  | { readonly kind: "entry"; readonly entry: HistoryEntry; readonly held: boolean }
  /** Something was in force, and this state folder does not have it. */
  | { readonly kind: "lost"; readonly what: string };

/**
 * Returns what a panic that is put in force now takes the place of. What waits for its confirm does not count: it may
 * be what locks the owner out.
 */
export function takenPlaceOf(folders: Folders, live: LiveState | null): SealOver {
  if (isRescue(live)) return { kind: "nothing" };
  const seal = live?.committed == null ? undefined : parseSeal(live.seals.get(live.committed) ?? "");
  if (seal !== undefined) return overOf(seal);
  const expected = expectedEntry(folders, readLandmark(folders), readBoot(folders.state));
  if (expected !== undefined) return overOf(expected);
  // Rules are there whose seal says nothing: they stand in for some policy.
  return { kind: live?.committed == null ? "nothing" : "unknown" };
}

/** Returns what was in force before the panic that the kernel holds. */
export function beforePanic(state: string, live: LiveState): Before {
  const seal = live.committed === null ? undefined : parseSeal(live.seals.get(live.committed) ?? "");
  const over = seal?.over ?? null;
  if (over === null) return beforeOld(state, live);
  switch (over.kind) {
    case "nothing":
      return { kind: "nothing" };
    case "unknown":
      return { kind: "lost", what: "what was in force before the panic is not known" };
    case "policy": {
      const entry = readHistoryEntry(state, over.id);
      const what = `policy ${over.id} of the history was in force before the panic, and \`${state}\` does not have it`;
      if (entry === undefined || !entry.sha256.startsWith(over.sha256)) return { kind: "lost", what };
      return whole(state, entry, over.held);
    }
  }
}

/**
 * A panic of a version that wrote nothing of it into the kernel. One that could not be written down (a full disk)
 * took the place of what was confirmed last, and not of nothing.
 */
function beforeOld(state: string, live: LiveState): Before {
  const panic = live.committed === null ? undefined : entryOf(state, live, live.committed);
  if (panic !== undefined && panic.confirmedMs !== null && panic.before === undefined)
    return { kind: "nothing" };
  const entry =
    panic !== undefined && panic.confirmedMs !== null
      ? readHistoryEntry(state, panic.before)
      : readHistory(state)
          .filter(({ confirmedMs, kind }) => confirmedMs !== null && kind === undefined)
          .at(-1);
  if (entry !== undefined) return whole(state, entry, false);
  return { kind: "lost", what: `what was in force before the panic is not in \`${state}\`` };
}

function whole(state: string, entry: HistoryEntry, held: boolean): Before {
  if (readResolvedPolicy(state, entry.id) !== null) return { kind: "entry", entry, held };
  const what = `the meaning of policy ${entry.id}, which was in force before the panic, cannot be read`;
  return { kind: "lost", what };
}

/**
 * Returns the refusal to end a panic whose predecessor is lost. SECURITY: taking the panic away would leave the
 * agents unjudged where they were judged before.
 */
export function lostBefore(what: string): SeawallError {
  return new SeawallError("SEAWALL_STATE", what, {
    still: "the panic holds: the agents reach nothing, SSH comes in",
    help: "bring the state folder back and say it again, or put a policy in force: seawall apply FILE",
  });
}
