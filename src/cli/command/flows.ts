import { shownIn } from "../../apply/not-shown.ts";
import { SeawallError } from "../../core/base/error.ts";
import { proofSieve } from "../../core/event/proof.ts";
import type { Verdict } from "../../core/policy/decision.ts";
import type { Direction } from "../../core/policy/document.ts";
import { readProofRuns } from "../../edge/state/proof-record.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { closeStore, openStoreReadOnly, type Store } from "../../edge/store/database.ts";
import { FLOWS_LISTED_MAX, type FlowQuery, listFlows, listLosses } from "../../edge/store/flow-query.ts";
import { type Command, type CommandContext, NO_WORDS } from "../command.ts";
import { parseSinceMs } from "../duration.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { flowRecord, flowTable, lossLine } from "../render/flow.ts";
import { notShownLines, overShareLines } from "../render/not-shown.ts";

const VERDICTS = ["accept", "refuse", "drop"] as const satisfies readonly Verdict[];
const DIRECTIONS = ["inbound", "outbound"] as const satisfies readonly Direction[];

export const command: Command = {
  path: ["flows"],
  summary: "Show connections, refused and admitted",
  about:
    "Shows connections from the log: who, where to, which rule decided and why, and how many were not recorded. It changes nothing, and never invents a name that was not seen.",
  usage:
    "seawall flows [--since 1h] [--verdict refuse] [--direction outbound] [--rule ID] [--limit N] [--all] [--json]",
  words: NO_WORDS,
  who: "root-files",
  options: {
    since: { type: "string" },
    verdict: { type: "string" },
    direction: { type: "string" },
    rule: { type: "string" },
    limit: { type: "string" },
    all: { type: "boolean" },
    json: { type: "boolean" },
  },
  optionHelp: {
    since: "a duration (90s, 15m, 1h, 7d) or a time (RFC 3339)",
    verdict: "accept, refuse or drop",
    direction: "inbound or outbound",
    rule: "the id of a rule",
    limit: "the newest so many (default: 100)",
    all: "also what `prove` and `probe` tried themselves in the agent's place",
    json: "print one JSON object a line",
  },
  exits: { 0: "shown, also when nothing matches", 2: "bad usage, or the log cannot be read", 5: "not root" },
  places: ["events"],
  examples: ["sudo seawall flows --since 1h --verdict refuse", "sudo seawall flows --json --limit 1000"],
  seeAlso: ["explain", "approve", "status"],
  offers: {
    since: { kind: "word", words: ["15m", "1h", "1d", "7d"] },
    verdict: { kind: "word", words: VERDICTS },
    direction: { kind: "word", words: DIRECTIONS },
  },
  run: async (context) => {
    const query = queryOf(context);
    const store = openStoreReadOnly(foldersOf(context.env).state);
    if (store === undefined) {
      context.err("nothing was recorded yet: the daemon writes here what the kernel logs\n");
      sayNotShown(context, store, query);
      return EXIT.ok;
    }
    try {
      return show(context, store, query);
    } finally {
      closeStore(store);
    }
  },
};

const LIMIT_DEFAULT = 100;

function show(context: CommandContext, store: Store, query: FlowQuery): ExitCode {
  const found = listFlows(store, query);
  const isProof = proofSieve(readProofRuns(foldersOf(context.env).state));
  const own = new Set(found.filter(isProof));
  const flows = context.flags["all"] === true ? found : found.filter((flow) => !own.has(flow));
  if (context.flags["json"] === true) {
    for (const flow of flows)
      context.out(`${JSON.stringify({ ...flowRecord(flow), ...(own.has(flow) && { prove: true }) })}\n`);
  } else if (flows.length === 0) context.err("no connection matches\n");
  else context.out(flowTable(flows));
  const missing = lossLine(listLosses(store, query.sinceMs ?? flows[0]?.timeMs ?? context.nowMs()));
  if (missing !== null) context.err(missing);
  sayNotShown(context, store, query);
  if (flows.length < found.length)
    context.err(`${own.size} rows of \`seawall prove\` are not shown (--all shows them)\n`);
  const refused = flows.findLast(({ refusal, verdict }) => refusal !== null && verdict !== "accept");
  if (refused?.refusal != null && context.flags["json"] !== true)
    context.err(`Next: sudo seawall explain ${refused.refusal} (why, and what helps)\n`);
  return EXIT.ok;
}

/** By the kernel's counters of this moment; what was lost on the way is among it. */
function sayNotShown(context: CommandContext, store: Store | undefined, query: FlowQuery): void {
  if (process.geteuid?.() !== 0) return;
  const { lines, overShare } = shownIn(store);
  const asked = lines.filter(
    ({ direction, verdict }) =>
      (query.direction ?? direction) === direction && (query.verdict ?? verdict) === verdict,
  );
  for (const line of [...notShownLines(asked), ...overShareLines(overShare)]) context.err(`${line}\n`);
}

function queryOf(context: CommandContext): FlowQuery {
  const since = text(context, "since");
  const sinceMs = since === undefined ? undefined : parseSinceMs(since, context.nowMs());
  if (since !== undefined && sinceMs === undefined)
    throw usage("since", since, "a duration like 1h, or a time");
  const limitText = text(context, "limit");
  const limit = limitText === undefined ? LIMIT_DEFAULT : Number(limitText);
  if (limitText !== undefined && !(/^[1-9][0-9]*$/.test(limitText) && limit <= FLOWS_LISTED_MAX)) {
    throw usage("limit", limitText, `a number from 1 to ${FLOWS_LISTED_MAX}`);
  }
  const verdict = choice(context, "verdict", VERDICTS);
  const direction = choice(context, "direction", DIRECTIONS);
  const rule = text(context, "rule");
  return {
    limit,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(direction === undefined ? {} : { direction }),
    ...(rule === undefined ? {} : { rule }),
  };
}

function choice<Word extends string>(
  context: CommandContext,
  flag: string,
  words: readonly Word[],
): Word | undefined {
  const value = text(context, flag);
  if (value === undefined) return undefined;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw usage(flag, value, words.join(", "));
  return word;
}

function text(context: CommandContext, flag: string): string | undefined {
  const value = context.flags[flag];
  return typeof value === "string" ? value : undefined;
}

function usage(flag: string, value: string, wanted: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", `\`--${flag} ${value}\` is not ${wanted}`, {
    help: "seawall flows --help",
  });
}
