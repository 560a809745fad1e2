/** What the kernel remembers of connections: which generation admitted them. */
import { formatIp } from "../core/net/ip.ts";
import {
  GENERATION_MASK,
  generationOfMark,
  MARK_MASK,
  markOf,
  SCOPE_INBOUND,
  SCOPE_MASK,
  SCOPE_REJUDGED,
} from "../core/compile/nftables/mark.ts";
import { isOver } from "../core/event/decode/conntrack.ts";
import type { SshConnection } from "../edge/host/ssh-session.ts";
import { openConntrack } from "../edge/kernel/conntrack.ts";

/**
 * Returns the generation that let a connection in from outside, or null: the kernel does not know it, or it was
 * admitted as outbound of a scope, that is, it began inside.
 */
export function generationOf({ peer, peerPort, local, localPort }: SshConnection): number | null {
  const conntrack = openConntrack();
  try {
    const found = conntrack.conntrackOf({
      protocol: 6,
      source: formatIp(peer),
      destination: formatIp(local),
      sourcePort: peerPort,
      destinationPort: localPort,
    });
    if (found.kind !== "entry" || found.direction !== "original") return null;
    const scope = (found.entry.mark & SCOPE_MASK) >>> 24;
    const fromOutside = scope === SCOPE_INBOUND || scope === SCOPE_REJUDGED;
    return fromOutside ? generationOfMark(found.entry.mark) : null;
  } finally {
    conntrack.close();
  }
}

/**
 * Whether any open connection carries the stamp of this generation; those that are over lose it here. A kernel that
 * cannot say has no entry we could find either; the number is then free, and fifteen changes lie between two uses.
 */
export function isGenerationInUse(generation: number): boolean {
  const conntrack = openConntrack();
  try {
    let open = 0;
    const stamp = { value: markOf(generation, 0), mask: GENERATION_MASK };
    const found = conntrack.dumpMarks(stamp, (entry) => void (open += isOver(entry) ? 0 : 1));
    if (found.kind !== "done" || found.count === 0) return false;
    if (open > 0) return true;
  } finally {
    conntrack.close();
  }
  releaseGeneration(generation);
  return false;
}

/** Takes a generation that is not in force out of the marks of its connections; whose they are stays in them. */
export function releaseGeneration(generation: number): void {
  const [seen, changed] = [openConntrack(), openConntrack()];
  try {
    seen.dumpWanted(
      (mark) => generationOfMark(mark) === generation,
      ({ original }) => void changed.setMark(original, { value: 0, mask: GENERATION_MASK }),
    );
  } finally {
    seen.close();
    changed.close();
  }
}

/**
 * Takes our field out of the mark of every connection. What a stamp meant goes with our rules, and the next policy
 * is to find connections from before it as anybody's: unstamped.
 */
export function releaseStamps(): void {
  const [seen, changed] = [openConntrack(), openConntrack()];
  try {
    seen.dumpWanted(
      (mark) => (mark & MARK_MASK) !== 0,
      ({ original }) => void changed.setMark(original, { value: 0, mask: MARK_MASK }),
    );
  } finally {
    seen.close();
    changed.close();
  }
}
