import { endPause, pause, PAUSE_MS_MAX, PAUSE_MS_MIN } from "../../apply/pause.ts";
import { SeawallError } from "../../core/base/error.ts";
import { locked } from "../../edge/kernel/change-lock.ts";
import { requireNft } from "../../edge/kernel/nft.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { parseDurationMs } from "../duration.ts";
import { EXIT } from "../exit-code.ts";
import { plain } from "../../core/base/plain.ts";
import { momentText, spanText } from "../render/moment.ts";

export const command: Command = {
  path: ["pause"],
  summary: "Only watch what the agent reaches, for a while",
  about:
    "Watches what agents reach instead of stopping it, for a while; then the kernel enforces again by itself, with nobody alive. It never opens anything inbound, and never lifts a guard.",
  usage: ["seawall pause --for TIME [--json]", "seawall pause --off"].join("\n"),
  words: NO_WORDS,
  who: "root-changes",
  options: { for: { type: "string" }, off: { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    for: "how long (10s to 8h); then the kernel enforces again by itself, with nobody alive",
    off: "enforce again now",
    json: "print the result as JSON",
  },
  exits: {
    0: "paused, or with --off: enforced again",
    2: "bad usage, or there is nothing to pause",
    5: "not root",
  },
  places: ["kernel", "history", "run", "operator"],
  examples: ["sudo seawall pause --for 10m", "sudo seawall pause --off"],
  seeAlso: ["status", "panic", "flows"],
  offers: { for: { kind: "word", words: ["10m", "30m", "1h", "8h"] } },
  run: async (context) => {
    requireNft();
    const folders = foldersOf(context.env);
    if (context.flags["off"] === true) {
      await locked(folders.run, () => endPause(folders));
      context.out("the pause is over: outbound is enforced again\n");
      return EXIT.ok;
    }
    const by = context.env["SUDO_USER"] ?? context.env["LOGNAME"] ?? "root";
    const pauseMs = durationOf(context);
    const { untilMs, change, trouble } = await locked(folders.run, () =>
      pause(folders, pauseMs, by, context.nowMs),
    );
    const until = new Date(untilMs).toISOString();
    if (context.flags["json"] === true) {
      context.out(`${JSON.stringify({ schema: SCHEMA, pausedUntil: until, change })}\n`);
      return EXIT.ok;
    }
    const when = `${momentText(untilMs, context.nowMs())} (${spanText(pauseMs)})`;
    context.out(`paused until ${when}: agents reach everything meanwhile; inbound and guards hold\n`);
    context.out(`change: ${plain(change)}\n`);
    if (trouble !== null) context.err(`warning: ${trouble}\n`);
    context.err("the kernel resumes by itself; sooner: seawall pause --off\n");
    return EXIT.ok;
  },
};

function durationOf({ flags }: CommandContext): number {
  const text = flags["for"];
  const found = typeof text === "string" ? parseDurationMs(text) : undefined;
  if (found !== undefined && found >= PAUSE_MS_MIN && found <= PAUSE_MS_MAX) return found;
  throw new SeawallError("SEAWALL_USAGE", "say for how long, from 10s to 8h", {
    still: "nothing was changed",
    help: "seawall pause --for 10m",
  });
}
