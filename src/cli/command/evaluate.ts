import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { plainJson } from "../../core/base/plain.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { evaluator } from "../../core/policy/evaluate.ts";
import { invalid, parseFlow } from "../../core/policy/flow-input.ts";
import { fileError } from "../../edge/host/file-error.ts";
import { type Command, type CommandContext, NO_WORDS } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { loadPolicy } from "../policy.ts";

/** LIMIT: a line of input; a longer one is refused as one unusable flow. */
export const FLOW_LINE_BYTES_MAX = 64 * 1024;
/** Output is written in pieces of about this size, so that a stream stays a stream. */
const FLUSH_CHARS = 64 * 1024;

export const command: Command = {
  path: ["evaluate"],
  summary: "Judge flows by a policy, as NDJSON",
  about:
    "Judges flows by a policy file, one line of JSON out for each line in, in the same order. It never looks at the kernel or the network: it says what the policy means.",
  usage: "seawall evaluate [--policy FILE] [--flows FILE.ndjson]",
  words: NO_WORDS,
  who: "anybody",
  options: { policy: { type: "string" }, flows: { type: "string" } },
  optionHelp: { policy: "the policy file", flows: "flows, one JSON object a line (default: standard input)" },
  exits: {
    0: "every line was answered; unusable ones are refused with a reason",
    2: "bad usage or policy",
    3: "a file is not there",
    5: "not root, and only root may read the file",
  },
  places: ["policy"],
  examples: [
    'echo \'{"direction":"inbound","from":"203.0.113.9","port":22}\' | seawall evaluate',
    "seawall evaluate --policy policy.yaml --flows flows.ndjson",
  ],
  seeAlso: ["explain", "policy check"],
  offers: { policy: { kind: "file" }, flows: { kind: "file" } },
  run: async (context) => {
    const { policy } = loadPolicy(context, text(context.flags["policy"]));
    const judge = evaluator(policy);
    let waiting = "";
    for await (const line of flowLines(context)) {
      waiting += `${JSON.stringify(decide(line, judge, context.nowMs()))}\n`;
      if (waiting.length >= FLUSH_CHARS) {
        await write(waiting);
        waiting = "";
      }
    }
    await write(waiting);
    return EXIT.ok;
  },
};

/** One line in, one decision out, whatever the line. */
function decide(line: string, judge: ReturnType<typeof evaluator>, nowMs: number): Decision {
  if (line.length > FLOW_LINE_BYTES_MAX) return invalid("invalid-flow", "the line is too long").decision;
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return invalid("invalid-flow", "the line is not JSON").decision;
  }
  const parsed = parseFlow(record);
  return parsed.ok ? judge(parsed.flow, nowMs) : parsed.decision;
}

async function* flowLines(context: CommandContext): AsyncGenerator<string> {
  const file = text(context.flags["flows"]);
  const input = file === undefined ? process.stdin : createReadStream(resolve(context.cwd, file));
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw fileError("read", file ?? "standard input", cause);
  }
}

async function write(chunk: string): Promise<void> {
  if (chunk === "" || process.stdout.write(plainJson(chunk))) return;
  await new Promise<void>((done) => process.stdout.once("drain", done));
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
