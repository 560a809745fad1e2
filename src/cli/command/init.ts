import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../core/base/assert.ts";
import { SeawallError } from "../../core/base/error.ts";
import type { Facts, Instance } from "../../core/init/facts.ts";
import { claimText, leftOutText } from "../../core/openclaw/instance-limit.ts";
import { policyText } from "../../core/init/policy-text.ts";
import { planProxy, PROXY_URL } from "../../core/init/proxy.ts";
import { type FoundLine, foundLines, openQuestions } from "../../core/init/report.ts";
import { checkPolicy } from "../../core/policy/check.ts";
import { MAIN_FILE } from "../../core/policy/parse/vocabulary.ts";
import { readInitRecord, sha256Of, writeInitRecord } from "../../edge/openclaw/init-record.ts";
import { type FoundInstance, findInstances } from "../../edge/openclaw/instance.ts";
import { findNeighbours } from "../../edge/openclaw/neighbour.ts";
import { writeNewFile } from "../../edge/openclaw/new-file.ts";
import { findOpenclaw } from "../../edge/openclaw/program.ts";
import { installationOf, setProxy, unsetProxy } from "../../edge/openclaw/proxy-setting.ts";
import { foldersOf, makeFolder } from "../../edge/state/folder.ts";
import { cardText, wayBackCard } from "../../install/card.ts";
import { type Command, type CommandContext, NO_WORDS, SCHEMA } from "../command.ts";
import { containmentQuestions } from "../containment-question.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { shellWord } from "../../core/base/shell-word.ts";
import { plain } from "../../core/base/plain.ts";

export const command: Command = {
  path: ["init"],
  summary: "Find OpenClaw and write a first policy",
  about:
    "Looks for OpenClaw, SSH, UFW and Docker and writes /etc/seawall/policy.yaml: inbound enforced, outbound only watched. It never replaces a policy that is there, and loads nothing into the kernel.",
  usage: "seawall init [--dry-run] [--proxy] [--undo] [--json]",
  words: NO_WORDS,
  who: "root-sees",
  options: {
    "dry-run": { type: "boolean" },
    proxy: { type: "boolean" },
    undo: { type: "boolean" },
    json: { type: "boolean" },
  },
  optionHelp: {
    "dry-run": "print the policy instead of writing it; OpenClaw is only asked whether it would agree",
    proxy: `also set proxy.proxyUrl of OpenClaw to ${PROXY_URL}, by its own \`config patch\`, as its own user`,
    undo: "take back what init did: the proxy setting, and the policy if nobody changed it",
    json: "print what was found and done as JSON",
  },
  exits: {
    0: "written, or the same policy was there",
    1: "the proxy setting could not be set or taken back for an instance",
    2: "bad usage, or it could not be written",
    5: "not root",
  },
  places: ["policy", "openclaw", "accounts", "operator"],
  examples: ["seawall init", "seawall init --dry-run", "seawall init --proxy", "seawall init --undo"],
  seeAlso: ["policy check", "apply"],
  run: async (context) => {
    return context.flags["undo"] === true ? undo(context) : init(context);
  },
};

async function init(context: CommandContext): Promise<ExitCode> {
  const found = await findEverything(context);
  const text = policyText(found.facts);
  // INVARIANT: whatever the agent's files hold, what is written from them is a policy.
  assert(isUsable(text, context.nowMs()), "the policy that init wrote has an error");
  const isDry = context.flags["dry-run"] === true;
  const written = isDry ? null : writePolicy(context, text);
  const proxies = context.flags["proxy"] === true ? await setProxies(context, found, isDry) : [];
  const outcome: Outcome = {
    facts: found.facts,
    text,
    written,
    proxies,
    next: nextStep(context, found.facts, written),
    open: [...openQuestions(found.facts), ...containmentQuestions(found.facts.instances)],
  };
  if (context.flags["json"] === true) context.out(`${JSON.stringify(reportOf(outcome))}\n`);
  else if (isDry) showDry(context, outcome);
  else show(context, outcome);
  return proxies.some(({ result }) => result === "failed") ? EXIT.findings : EXIT.ok;
}

interface Everything {
  readonly facts: Facts;
  /** In the order of `facts.instances`. */
  readonly instances: readonly FoundInstance[];
}

async function findEverything(context: CommandContext): Promise<Everything> {
  // Read when it is needed: the help of this command needs no reader of configurations.
  const [{ readConfiguration }, { openclawNeeds }] = await Promise.all([
    import("../../edge/openclaw/configuration.ts"),
    import("../../core/openclaw/needs.ts"),
  ]);
  const { instances, leftOut, claims } = findInstances({
    only: context.env["SEAWALL_OPENCLAW_HOME"] || null,
  });
  const known = instances.map((instance): Instance => {
    const { root, variables, problems } = readConfiguration(instance);
    return { ...instance, needs: root === null ? null : openclawNeeds(root, variables), problems };
  });
  const day = new Date(context.nowMs()).toISOString().slice(0, 10);
  const notLookedAt = [...leftOut.map(leftOutText), ...claims.map(claimText)];
  return { instances, facts: { day, instances: known, notLookedAt, neighbours: findNeighbours() } };
}

function isUsable(text: string, nowMs: number): boolean {
  const check = checkPolicy(text, { nowMs, readSets: () => ({ sets: new Map(), diagnostics: [] }) });
  return check.policy !== null;
}

interface Written {
  readonly path: string;
  /** `beside`: a policy was there and stays; ours stands next to it. `same`: it says what we would write. */
  readonly how: "new" | "beside" | "same";
}

/** Never replaces a file: a policy that is there stays, and the new one is written beside it. */
function writePolicy(context: CommandContext, text: string): Written {
  const { config, state } = foldersOf(context.env);
  makeFolder(config);
  const path = join(config, MAIN_FILE);
  const beside = `${path}.new`;
  for (const [target, how] of [
    [path, "new"],
    [beside, "beside"],
  ] as const) {
    if (meaningOf(readOrEmpty(target)) === meaningOf(text))
      return { path: target, how: how === "new" ? "same" : how };
    if (!writeNewFile(target, text)) continue;
    const record = readInitRecord(state);
    const policies = record.policies.filter((one) => one.path !== target);
    writeInitRecord(state, { ...record, policies: [...policies, { path: target, sha256: sha256Of(text) }] });
    return { path: target, how };
  }
  throw new SeawallError("SEAWALL_STATE", `\`${path}\` and \`${beside}\` are there already`, {
    still: "neither was changed",
    help: `diff ${shellWord(path)} ${shellWord(beside)}, then remove the one you do not want`,
  });
}

/** The text without its first lines, which hold the day. */
function meaningOf(text: string): string {
  return text.slice(Math.max(0, text.indexOf("version:")));
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

interface ProxyOutcome {
  readonly config: string;
  readonly result: "set" | "would-set" | "set-already" | "left" | "failed";
  readonly why: string | null;
}

async function setProxies(
  context: CommandContext,
  { facts, instances }: Everything,
  dryRun: boolean,
): Promise<ProxyOutcome[]> {
  const { state } = foldersOf(context.env);
  const outcomes: ProxyOutcome[] = [];
  // One after the other: the record of what was done is one file.
  for (const [index, instance] of instances.entries()) {
    const known = facts.instances[index];
    if (known === undefined) continue;
    const plan = planProxy(known, facts.neighbours.listeners);
    const outcome = plan.kind === "set" ? await setOne(state, instance, dryRun) : leftAsIs(plan);
    outcomes.push({ config: instance.configPath, ...outcome });
  }
  return outcomes;
}

type OneOutcome = Omit<ProxyOutcome, "config">;

function leftAsIs(plan: Exclude<ReturnType<typeof planProxy>, { kind: "set" }>): OneOutcome {
  return plan.kind === "left" ? { result: "left", why: plan.why } : { result: "set-already", why: null };
}

async function setOne(state: string, instance: FoundInstance, dryRun: boolean): Promise<OneOutcome> {
  const program = findOpenclaw(installationOf(instance));
  if (program.kind !== "read") return { result: "left", why: program.why };
  // Recorded before it is done: a record of nothing is harmless, a change without a record is not.
  const record = dryRun ? null : () => recordProxy(state, instance);
  const result = await setProxy(instance, program.value, PROXY_URL, record);
  if (!result.ok) return { result: "failed", why: result.problem };
  return { result: dryRun ? "would-set" : "set", why: null };
}

function recordProxy(state: string, { configPath, uid }: FoundInstance): void {
  const record = readInitRecord(state);
  const others = record.proxies.filter((one) => one.configPath !== configPath || one.uid !== uid);
  writeInitRecord(state, { ...record, proxies: [...others, { configPath, uid }] });
}

interface Outcome {
  readonly facts: Facts;
  readonly text: string;
  readonly written: Written | null;
  readonly proxies: readonly ProxyOutcome[];
  readonly next: string;
  readonly open: readonly string[];
}

function nextStep(context: CommandContext, facts: Facts, written: Written | null): string {
  if (written === null) return "seawall init";
  if (written.how === "beside")
    return `diff ${join(foldersOf(context.env).config, MAIN_FILE)} ${written.path}`;
  return facts.neighbours.ssh.length === 0
    ? `seawall policy check ${written.path}`
    : `seawall apply ${written.path}`;
}

function reportOf({ facts, text, written, proxies, next, open }: Outcome) {
  return {
    schema: SCHEMA,
    written: written === null ? null : { path: written.path, how: written.how },
    policy: text,
    instances: facts.instances.map(({ configPath, user, uid, pid, unit, container, evidence }) => ({
      config: configPath,
      user,
      uid,
      pid,
      unit: unit?.name ?? null,
      container: container?.id ?? null,
      evidence,
    })),
    found: foundLines(facts),
    open,
    proxy: proxies,
    wayBack: wayBackCard(),
    next,
  };
}

/** The policy alone on stdout, so that it can be kept; the talk on stderr. */
function showDry(context: CommandContext, outcome: Outcome): void {
  for (const line of talk(outcome)) context.err(`${plain(line)}\n`);
  context.err("dry run: nothing was written\n");
  context.out(outcome.text);
}

function show(context: CommandContext, outcome: Outcome): void {
  const { written, next } = outcome;
  const lines = [...talk(outcome), ""];
  if (written !== null) lines.push(WROTE[written.how](written.path));
  lines.push("", "A change that you do not confirm goes back by itself, in the kernel.", "");
  lines.push(...cardText(wayBackCard()).trimEnd().split("\n"), "", `Next: sudo ${next}`);
  context.out(lines.map((line) => `${plain(line)}\n`).join(""));
}

const WROTE: Readonly<Record<Written["how"], (path: string) => string>> = {
  new: (path) => `Wrote ${path}: inbound is enforced once applied, outbound is only watched.`,
  beside: (path) => `Your policy stays as it is; what init would write now is in ${path}.`,
  same: (path) => `${path} says already what init would write.`,
};

function talk({ facts, proxies, open }: Outcome): string[] {
  return [
    "Found:",
    ...foundLines(facts).map(({ word, text }: FoundLine) => `  ${word.padEnd(8)} ${text}`),
    ...(open.length === 0 ? [] : ["", "To look at:", ...open.map((text) => `  - ${text}`)]),
    ...(proxies.length === 0 ? [] : ["", "Proxy:", ...proxies.map((one) => `  ${proxyLine(one)}`)]),
  ];
}

function proxyLine({ config, result, why }: ProxyOutcome): string {
  switch (result) {
    case "set":
      return `${config}: OpenClaw now goes out by ${PROXY_URL} (undo: seawall init --undo)`;
    case "would-set":
      return `${config}: OpenClaw agrees to ${PROXY_URL}`;
    case "set-already":
      return `${config}: set already`;
    case "left":
      return `${config}: left as it is, because ${why}`;
    case "failed":
      return `${config}: not set: ${why}`;
  }
}

/** Takes back what the record holds. What cannot be taken back stays in the record. */
async function undo(context: CommandContext): Promise<ExitCode> {
  const { state } = foldersOf(context.env);
  const record = readInitRecord(state);
  if (record.policies.length === 0 && record.proxies.length === 0) {
    context.out("init has changed nothing that could be taken back\n");
    return EXIT.ok;
  }
  const isDry = context.flags["dry-run"] === true;
  const proxies = await undoProxies(context, record.proxies, isDry);
  for (const { path, sha256 } of record.policies) {
    const isOurs = sha256Of(readOrEmpty(path)) === sha256;
    if (isOurs && !isDry) rmSync(path, { force: true });
    const done = isDry ? "would be removed" : "is removed; rules in the kernel stay until `seawall down`";
    context.out(plain(`${path} ${isOurs ? done : "was changed or is gone, and is left alone"}`) + "\n");
  }
  if (!isDry) writeInitRecord(state, { version: 1, policies: [], proxies });
  return proxies.length === 0 || isDry ? EXIT.ok : EXIT.findings;
}

type SetProxy = ReturnType<typeof readInitRecord>["proxies"][number];

/** Takes the proxy out of each; returns those where it stays. */
async function undoProxies(
  context: CommandContext,
  set: readonly SetProxy[],
  isDry: boolean,
): Promise<SetProxy[]> {
  const { instances } = findInstances({ only: context.env["SEAWALL_OPENCLAW_HOME"] || null });
  const kept: SetProxy[] = [];
  for (const one of set) {
    const problem = await takeBack(instances, one, isDry);
    const done = isDry ? "would be unset" : "is unset";
    context.out(
      plain(`${one.configPath}: proxy.proxyUrl ${problem === null ? done : `stays: ${problem}`}`) + "\n",
    );
    if (problem !== null) kept.push(one);
  }
  return kept;
}

async function takeBack(
  instances: readonly FoundInstance[],
  { configPath, uid }: { readonly configPath: string; readonly uid: number },
  dryRun: boolean,
): Promise<string | null> {
  const instance = instances.find((one) => one.configPath === configPath && one.uid === uid);
  if (instance === undefined) return "this instance was not found again";
  const program = findOpenclaw(installationOf(instance));
  if (program.kind !== "read") return program.why;
  const result = dryRun ? ({ ok: true } as const) : await unsetProxy(instance, program.value);
  return result.ok ? null : result.problem;
}
