import { SeawallError } from "../../../core/base/error.ts";
import type { Command } from "../../command.ts";
import { parseDurationMs } from "../../duration.ts";
import { EXIT } from "../../exit-code.ts";
import { addEntry, CHECK_OFFER, checkArgument, dayOf, ownerOf } from "./write-word.ts";

/** LIMIT: a waiver is looked at again at least once a year. */
const WAIVED_MAX_MS = 366 * 86_400_000;

export const command: Command = {
  path: ["audit", "waive"],
  summary: "Accept a failed check until a date, with the reason",
  about:
    "Writes into audit.yaml that a failed check is accepted until a day, why and by whom. It never changes what the check sees: afterwards it fails again.",
  usage: "seawall audit waive CHECK --why TEXT --expires 30d|2027-01-31 [--owner NAME]",
  words: { least: 1, most: 1, shown: "CHECK" },
  who: "root-files",
  options: { why: { type: "string" }, expires: { type: "string" }, owner: { type: "string" } },
  optionHelp: {
    why: "why it is accepted, at least 10 characters",
    expires: "the last day on which it holds, or a duration; at most a year",
    owner: "who accepts it (default: you)",
  },
  exits: {
    0: "written",
    2: "bad usage, or it could not be written",
    3: "there is no such check",
    5: "not root",
  },
  places: ["word", "operator"],
  examples: [
    'sudo seawall audit waive SSH-021 --why "one account only, keys are checked weekly" --expires 90d',
    'sudo seawall audit waive SSH-002 --why "moved behind the tailnet in March" --expires 2027-03-31',
  ],
  seeAlso: ["checks show", "audit", "audit attest"],
  offers: { expires: { kind: "word", words: ["7d", "30d", "90d"] } },
  argument: CHECK_OFFER,
  run: async (context) => {
    const check = checkArgument(context);
    const { why, expires } = context.flags;
    if (typeof why !== "string" || typeof expires !== "string")
      throw new SeawallError("SEAWALL_USAGE", "`--why` and `--expires` are both needed", {
        help: "seawall audit waive --help",
      });
    const durationMs = parseDurationMs(expires);
    const until = durationMs === undefined ? expires : dayOf(context.nowMs() + durationMs);
    const untilMs = Date.parse(`${until}T23:59:59Z`);
    if (
      !/^\d{4}-\d{2}-\d{2}$/.test(until) ||
      Number.isNaN(untilMs) ||
      untilMs < context.nowMs() ||
      untilMs > context.nowMs() + WAIVED_MAX_MS
    )
      throw new SeawallError(
        "SEAWALL_USAGE",
        `\`--expires ${expires}\` is not a day of the coming year, or a duration like 90d`,
        { help: "seawall audit waive --help" },
      );
    const path = addEntry(context, "waivers", {
      check: check.id,
      why,
      owner: ownerOf(context),
      expires: until,
    });
    context.out(`${check.id} is waived until ${until} (${path})\n`);
    return EXIT.ok;
  },
};
