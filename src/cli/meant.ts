/** What somebody probably meant by a word that a command does not take. */
import { closest } from "../core/policy/parse/closest.ts";
import { idForm } from "../core/gate/refusal.ts";
import type { Command, Commands } from "./command.ts";
import { parseSinceMs } from "./duration.ts";

/** Returns the option that was meant, as it would be typed: `--off`, `--for 10m`; or null. */
export function meantOption(command: Command, word: string, next: string | undefined): string | null {
  const bare = word.replace(/^-+/, "").toLowerCase();
  if (bare === "") return null;
  const options = Object.entries(command.options);
  const isNamed = options.some(([name, { type }]) => name === bare && type === "string");
  if (isNamed) return next === undefined ? `--${bare} VALUE` : `--${bare} ${next}`;
  return optionOfValue(command, word) ?? nearBoolean(command, bare);
}

function nearBoolean({ options }: Command, bare: string): string | null {
  const flags = Object.entries(options).flatMap(([name, { type }]) =>
    type === "boolean" ? [`--${name}`] : [],
  );
  return closest(`--${bare}`, flags);
}

/** The option whose value looks like the word: a word that it offers, a time, a number. */
function optionOfValue({ options, offers }: Command, word: string): string | null {
  for (const [name, offer] of Object.entries(offers ?? {}))
    if ("words" in offer && offer.words.includes(word) && name in options) return `--${name} ${word}`;
  const ofTime = ["for", "since", "confirm-within"].find((name) => name in options);
  if (ofTime !== undefined && /^\d+[smhd]$/.test(word) && parseSinceMs(word, 0) !== undefined)
    return `--${ofTime} ${word}`;
  return "limit" in options && /^[1-9]\d{0,5}$/.test(word) ? `--limit ${word}` : null;
}

/** Returns the command that takes such a word where this one does not: an id is explained. */
export function meantCommand(command: Command, word: string): string | null {
  return idForm(word) !== undefined && command.words.most === 0 ? `explain ${word}` : null;
}

/**
 * Words of other tools, and how the same is said here. Each value begins with a command of ours, and holds only where
 * that command exists; `note` says what to do first.
 */
interface Synonym {
  readonly say: string;
  readonly note?: string;
}

const INTO_FORCE: Synonym = { say: "apply" };
const OUT_OF_FORCE: Synonym = { say: "down" };
const WATCH: Synonym = { say: "flows" };
const DENY: Synonym = { say: "block" };
const PERMIT: Synonym = { say: "allow" };
const BACK: Synonym = { say: "rollback" };
const IN_FORCE: Synonym = { say: "status" };
const CHECK: Synonym = { say: "policy check" };
const FIRST: Synonym = { say: "init" };
const HARD: Synonym = { say: "audit" };
const TAKE_OUT: Synonym = { say: "apply", note: "take the rule out of the policy file, then" };

const SYNONYMS: Readonly<Record<string, Synonym>> = {
  enable: INTO_FORCE,
  on: INTO_FORCE,
  start: INTO_FORCE,
  up: INTO_FORCE,
  load: INTO_FORCE,
  reload: INTO_FORCE,
  restart: INTO_FORCE,
  activate: INTO_FORCE,
  disable: OUT_OF_FORCE,
  off: OUT_OF_FORCE,
  stop: OUT_OF_FORCE,
  flush: OUT_OF_FORCE,
  reset: OUT_OF_FORCE,
  deactivate: OUT_OF_FORCE,
  enforce: { say: "apply", note: "set `mode: enforce` in the policy file, then" },
  observe: { say: "apply", note: "set `mode: observe` in the policy file, then" },
  log: WATCH,
  logs: WATCH,
  events: WATCH,
  traffic: WATCH,
  connections: WATCH,
  tail: WATCH,
  deny: DENY,
  reject: DENY,
  drop: DENY,
  ban: DENY,
  permit: PERMIT,
  accept: PERMIT,
  add: PERMIT,
  unblock: PERMIT,
  delete: TAKE_OUT,
  remove: TAKE_OUT,
  rm: TAKE_OUT,
  undo: BACK,
  revert: BACK,
  list: IN_FORCE,
  ls: IN_FORCE,
  show: IN_FORCE,
  info: IN_FORCE,
  state: IN_FORCE,
  ps: IN_FORCE,
  rules: { say: "status", note: "the rules stand in the policy file; what is in force says" },
  diff: { say: "apply --dry-run", note: "whether the policy file could be applied says" },
  plan: { say: "apply --dry-run", note: "whether the policy file could be applied says" },
  check: CHECK,
  validate: CHECK,
  lint: CHECK,
  test: { say: "policy check", note: "the tests in a policy are run by" },
  fmt: { say: "policy fmt" },
  format: { say: "policy fmt" },
  schema: { say: "policy schema" },
  migrate: { say: "policy migrate" },
  setup: FIRST,
  configure: FIRST,
  config: FIRST,
  scan: HARD,
  harden: HARD,
  doctor: HARD,
  why: { say: "explain" },
  trace: { say: "explain" },
  try: { say: "probe" },
  ping: { say: "probe" },
  verify: { say: "prove" },
  lockdown: { say: "panic" },
  kill: { say: "panic" },
  resume: { say: "pause --off" },
  unpause: { say: "pause --off" },
  unpanic: { say: "panic --off" },
  waive: { say: "audit waive" },
  attest: { say: "audit attest" },
  man: { say: "help" },
};

/** Returns our word for a word of another tool, or null; never a command that does not exist. */
export function synonymOf(all: Commands, word: string): Synonym | null {
  const found = Object.hasOwn(SYNONYMS, word) ? (SYNONYMS[word] ?? null) : null;
  if (found === null) return null;
  return Object.hasOwn(all, wordsAlone(found.say)) ? found : null;
}

/** Returns the words that are answered with ours, for the test that tries each. */
export function synonyms(): readonly (readonly [string, Synonym])[] {
  return Object.entries(SYNONYMS);
}

/** The words of a command without its options. */
function wordsAlone(line: string): string {
  return line.split(" --")[0] ?? line;
}
