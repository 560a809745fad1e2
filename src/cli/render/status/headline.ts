/**
 * What is in force, in the first words of the screen.
 * INVARIANT: the weaker direction speaks first: nobody reads two big words and goes to bed while the agent is free.
 */
import type { DirectionState, Status } from "../../../apply/status.ts";
import { momentText, spanText } from "../moment.ts";

/** Words under which the rest of a line begins. */
const WIDTH = 15;
const line = (word: string, text: string): string => `${word.padEnd(WIDTH)}${text}`;
const more = (text: string): string => line("", text);

const GUARDS = "(what guards refuse is refused)";

/** The state of the whole. */
export function headline(status: Status): string[] {
  const { state, pausedUntil, rescued, at, leftMs } = status;
  if (state === "drifted") return [line("DRIFTED", "the kernel does not hold what was applied")];
  if (rescued) return [line("RESCUED", "by the owner: only the guards judge, also at the next start")];
  if (state === "off") return [line("OFF", "nothing of Seawall is in the kernel; it protects nothing")];
  if (state === "panic") return panicLines(status);
  if (pausedUntil !== null) {
    const until = momentText(Date.parse(pausedUntil), Date.parse(at));
    return [
      `PAUSED until ${until} (${spanText(leftMs ?? 0)} left): the agent reaches everything meanwhile`,
      more(`${GUARDS}; sooner: sudo seawall pause --off`),
    ];
  }
  return directionHeadline(status);
}

function panicLines({ nextStart }: Status): string[] {
  return [
    line("PANIC", "the agents reach nothing, and nothing but SSH comes in,"),
    more(
      nextStart === "same"
        ? "until `sudo seawall panic --off`, also after a reboot"
        : "until `sudo seawall panic --off`; BUT THE NEXT START LOADS WHAT WAS BEFORE",
    ),
  ];
}

function directionHeadline({ inbound, outbound, ownModes }: Status): string[] {
  if (outbound === "not-judged") {
    const watched = inbound === "observed" ? ["WATCHING ONLY", "every port is open as it was, and"] : null;
    const words = "what the agent sends is not looked at (no `outbound`)";
    return watched === null
      ? [line("NOT JUDGED", words)]
      : [line(watched[0] ?? "", watched[1] ?? ""), more(words)];
  }
  const reaches =
    (ownModes?.outbound.enforcedDenies ?? 0) > 0
      ? "the agent still reaches everything but what enforced denies name"
      : "the agent still reaches everything";
  const comes =
    (ownModes?.inbound.enforcedDenies ?? 0) > 0
      ? "the world still reaches every port but what enforced denies name"
      : "the world still reaches every port";
  if (outbound === "observed") {
    const both = inbound === "observed" ? [more(comes)] : [];
    return [line("WATCHING ONLY", reaches), ...both, more(GUARDS)];
  }
  if (inbound === "observed") return [line("WATCHING ONLY", comes), more(GUARDS)];
  return [line("ENFORCING", "both ways: the kernel holds the rules, with or without a daemon")];
}

/** One line a direction, where they are not both what the headline says. */
export function directionLines({ state, inbound, outbound, rescued }: Status): string[] {
  if (state === "off" || state === "panic" || state === "drifted" || rescued) return [];
  if (inbound === "enforced" && outbound === "enforced") return [];
  return [line("inbound", WORDS[inbound]), line("outbound", WORDS[outbound])];
}

const WORDS: Record<DirectionState, string> = {
  enforced: "ENFORCED",
  observed: "only watched",
  "not-judged": "not judged",
  unknown: "not known",
};

/** Rules that are not of the mode of their direction: a single word for all of them would not be true. */
export function ownModeLines({ ownModes, state }: Status): string[] {
  if (ownModes === null || state === "panic" || state === "drifted") return [];
  return (["inbound", "outbound"] as const).flatMap((direction) => {
    const { watchedDenies, idleAllows, enforcedDenies } = ownModes[direction];
    return [
      ...count(direction, watchedDenies, "deny", "only watches", "only watch"),
      ...count(
        direction,
        idleAllows,
        "allow",
        "only watches and opens nothing",
        "only watch and open nothing",
      ),
      ...count(direction, enforcedDenies, "deny", "is enforced", "are enforced"),
    ];
  });
}

function count(direction: string, many: number, action: string, one: string, several: string): string[] {
  if (many === 0) return [];
  return [
    line(
      "own mode",
      `${direction}: ${many} ${action} rule${many === 1 ? "" : "s"} ${many === 1 ? one : several}`,
    ),
  ];
}
