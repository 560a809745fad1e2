/**
 * The field of the connection mark that is ours: bits 28..31 hold the generation of the policy that admitted
 * the connection (0: none), bits 24..27 its scope (0: inbound). Bits 0..23 belong to others (wg-quick and
 * Kubernetes use the low ones, Tailscale 16..23) and are always preserved.
 */
export const MARK_MASK = 0xff00_0000;
export const MARK_FOREIGN_MASK = 0x00ff_ffff;
export const GENERATION_MASK = 0xf000_0000;
export const SCOPE_MASK = 0x0f00_0000;

/** Admitted by a rule that expires: judged again with every packet, so that it ends when the rule does. */
export const SCOPE_REJUDGED = 15;
export const SCOPE_INBOUND = 0;
/** What the gates themselves send. */
export const SCOPE_GATE = 14;

/**
 * The field of the packet mark that says "to the gate of scope N" on the way from our judging chain to our nat
 * chain, which takes it away again. Only the first packet of a connection ever carries it.
 */
export const TO_GATE = 0xd000_0000;

/** Returns the packet mark of what goes to the gate of a scope. */
export function toGateOf(scope: number): number {
  return (TO_GATE | (scope << 24)) >>> 0;
}

/** Returns the field for a connection of `scope` that `generation` (1..15) admitted. */
export function markOf(generation: number, scope: number): number {
  return ((generation << 28) | (scope << 24)) >>> 0;
}

/**
 * A connection that a change of policy ended keeps whose it was and carries no generation. Its answers are refused;
 * what the side that began it sends is judged as new, so that the kernel itself has the last word.
 */
export const CUT_FIRST = markOf(0, 1);
export const CUT_LAST = markOf(0, 15);

/** Returns the field of a connection of `scope` that was ended. What began outside shares a value with SCOPE_REJUDGED. */
export function cutMarkOf(scope: number): number {
  return markOf(0, scope === SCOPE_INBOUND ? SCOPE_REJUDGED : scope);
}

export function generationOfMark(mark: number): number {
  return mark >>> 28;
}

/** Returns the generation after `generation`, going round from 15 to 1, skipping those in `taken`. */
export function nextGeneration(generation: number, taken: ReadonlySet<number>): number | undefined {
  for (let step = 1; step <= 15; step += 1) {
    const candidate = ((generation - 1 + step) % 15) + 1;
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}
