import { performance } from "node:perf_hooks";
import { type Answer, type Outcome, TEXT_CHARS_MAX } from "../ask.ts";

/** A stopwatch that makes an answer of whatever ended the attempt. */
export function attemptClock(): (outcome: Outcome, code: string, text?: string) => Answer {
  const begun = performance.now();
  return (outcome, code, text = "") => ({
    outcome,
    code: code.slice(0, 200),
    ms: Math.round(performance.now() - begun),
    text: text.slice(0, TEXT_CHARS_MAX),
    dns: null,
  });
}

/** Returns the name of an errno, or the message of an error that has none. */
export function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

/** Returns what an errno of a socket says: errno(3), connect(2), udp(7). */
export function outcomeOf(code: string): Outcome {
  switch (code) {
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EPERM":
    case "EACCES":
    case "EPIPE":
    case "closed":
      return "refused";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
      return "silent";
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "ENOENT":
      return "absent";
    default:
      return "failed";
  }
}
