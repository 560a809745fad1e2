import { type Status, readStatus } from "../../apply/status.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["status"],
  summary: "Show what is in force",
  about:
    "Asks the kernel what is in force and says whether the agent is contained. It changes nothing, and never takes a file's word for what the kernel holds.",
  usage: "seawall status [--json]",
  words: NO_WORDS,
  who: "root-sees",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print the status as JSON" },
  exits: {
    0: "shown, whatever the state is",
    2: "bad usage, or the kernel could not be asked",
    5: "not root",
  },
  places: ["kernel", "history", "run"],
  examples: ["sudo seawall status", "sudo seawall status --json"],
  seeAlso: ["flows", "apply", "history"],
  run: async (context) => {
    const status = readStatus(foldersOf(context.env), context.nowMs());
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...status })}\n`);
    else context.out(screen(status));
    return EXIT.ok;
  },
};

const WORDS: Record<Status["state"], string> = {
  off: "OFF        nothing of Seawall is in the kernel; nothing is protected by it",
  observing: "OBSERVING  connections are judged and logged, but not stopped (guards are)",
  enforcing: "ENFORCING  the kernel holds the rules, with or without a daemon",
  pending: "PENDING    a change waits for its confirm",
  panic: "PANIC      the agents reach nothing and nothing but SSH comes in, until `seawall panic --off`",
  drifted: "DRIFTED    the kernel does not hold what was applied",
};

const CONTAINMENT_WORDS: Record<Status["containment"], string> = {
  contained: "CONTAINED      the agent's processes cannot become somebody whom the rules do not judge",
  partly: "PARTLY         contained: something is not known, or holds only while nobody changes it",
  "not-contained": "NOT CONTAINED  the agent's processes can become somebody whom the rules do not judge",
  unknown: "UNKNOWN        nobody has looked yet whether the agent's processes are contained",
};

const NOT_JUDGED = "NOT JUDGED     the policy has no outbound rules: what the agent sends is not looked at";

const GATE_WORDS = {
  answers: "answers: names are decided",
  silent: "SILENT: what is enforced by name is refused until `seawall daemon` runs",
} as const;

const HELD =
  "held       what is allowed only until a time waits for the clock to be set (timedatectl; seawall apply)";
const RESCUED = "rescued    by the owner: only guards are in force, now and at the next start";

/** LIMIT: reasons on the screen; `--json` has all of them. */
const REASONS_MAX = 5;

/** SECURITY: evidence names files and processes of the agent's. */
function containmentLines({ containment, containmentSeen }: Status): string[] {
  const reasons = (containmentSeen?.scopes ?? []).flatMap(({ scope, reasons: all }) =>
    all.map((reason) => `  ${scope}: ${reason.sentence} (${reason.evidence}); cure: ${reason.cure}`),
  );
  const more = reasons.length - REASONS_MAX;
  return [
    containmentSeen?.scopes.length === 0 ? NOT_JUDGED : CONTAINMENT_WORDS[containment],
    ...reasons.slice(0, REASONS_MAX).map(plain),
    ...(more > 0 ? [`  and ${more} more: seawall status --json`] : []),
    ...(containmentSeen?.stale === true
      ? [`  seen ${containmentSeen.at}, more than a day ago; seawall apply FILE looks again`]
      : []),
  ];
}

/** SECURITY: names of programs and units are somebody else's. */
function changeLines({ changes }: Status): string[] {
  if (changes === null) return [];
  const { last, healed, alarm, others } = changes;
  return [
    ...(last === null
      ? []
      : [`changed    ${last.at} ${last.what}${last.by === null ? "" : `, by ${last.by}`}: ${last.outcome}`]),
    ...(healed > 1 ? [`           healed ${healed} times since seawalld started`] : []),
    ...(alarm
      ? ["ALARM      somebody changes our rules again and again; they are healed three times a minute"]
      : []),
    ...others.map(({ said, help }) => `others     ${said}; try: ${help}`),
  ].map(plain);
}

/** Without a daemon nothing is recorded; with nothing in force there is nothing to record. */
function daemonLines({ daemon, generation }: Status): string[] {
  if (daemon === null)
    return generation === null ? [] : ["seawalld   NONE RUNS: rules hold, connections are not recorded"];
  const lost =
    daemon.lost === 0 ? [] : [`seawalld   ${daemon.lost} events were lost; the counters are exact`];
  return [
    ...daemon.trouble.map((why) => `seawalld   RECORDING FAILS: ${plain(why)}; rules hold all the same`),
    ...lost,
  ];
}

function screen(status: Status): string {
  // With nothing in force there is nothing to leave.
  const lines = status.generation === null ? [] : containmentLines(status);
  lines.push(WORDS[status.state]);
  if (status.mode !== null)
    lines.push(`mode       inbound ${status.mode.inbound}, outbound ${status.mode.outbound}`);
  if (status.gate !== "not-needed") lines.push(`gate       ${GATE_WORDS[status.gate]}`);
  lines.push(...daemonLines(status));
  if (status.generation !== null) lines.push(`generation ${status.generation}`);
  if (status.policy !== null)
    lines.push(`policy     ${plain(status.policy.path)} (history ${status.policy.id})`);
  if (status.confirmBy !== null) {
    lines.push(
      `confirm    until ${status.confirmBy}, or the kernel goes back`,
      "Next: log in anew and run `seawall confirm`",
    );
  }
  if (status.pausedUntil !== null) {
    lines.push(
      `paused     outbound is only watched until ${status.pausedUntil} (sooner: seawall pause --off)`,
    );
  }
  if (status.held) lines.push(HELD);
  if (status.rescued) lines.push(RESCUED, "Next: seawall apply FILE");
  lines.push(...changeLines(status));
  if (status.drift !== null) lines.push(`drift      ${status.drift}`, "Next: seawall apply FILE");
  return `${lines.join("\n")}\n`;
}
