/**
 * How much of a gate is heard, and in which order it may speak. SECURITY: a gate that is taken over says whatever it
 * likes as fast as it can; what no gate says ends the link, and more than one can have to say waits at its end.
 */
import type { FromGate } from "../../core/gate/message.ts";

/** LIMIT: what is heard in one step, as the sum of `costOf`; what is beyond waits in the gate until the next one. */
export const HEARD_PER_STEP_MAX = 2_000;
export const HEARD_STEP_MS = 100;

/** Returns what hearing a message costs: a report is one, a pin one more for every two addresses. */
export function costOf(message: FromGate): number {
  return message.kind === "pin" ? 1 + message.addresses.length / 2 : 1;
}

export interface Conversation {
  /** Notes a question to the gate; each is answered once at most. */
  readonly asked: (kind: "ping" | "setup") => void;
  /** Whether a gate says this now. What it says after a false is not heard: the link is cut. */
  readonly isDue: (message: FromGate) => boolean;
}

/** Returns a conversation that begins: the gate greets first, and once. */
export function createConversation(): Conversation {
  let hasGreeted = false;
  const open = { ping: 0, setup: 0 };
  const isAnswer = (kind: "ping" | "setup"): boolean => {
    open[kind] -= 1;
    return open[kind] >= 0;
  };
  return {
    asked: (kind) => {
      open[kind] += 1;
    },
    isDue: (message) => {
      if (message.kind === "hello") {
        const isFirst = !hasGreeted;
        hasGreeted = true;
        return isFirst;
      }
      if (!hasGreeted) return false;
      switch (message.kind) {
        case "pong":
          return isAnswer("ping");
        case "ready":
          return isAnswer("setup");
        case "pin":
        case "report":
          return true;
      }
    },
  };
}
