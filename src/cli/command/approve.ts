import { SeawallError } from "../../core/base/error.ts";
import { plain } from "../../core/base/plain.ts";
import { idForm } from "../../core/gate/refusal.ts";
import { cureOf, cureText } from "../../core/policy/cure.ts";
import type { RuleWish } from "../../core/policy/edit/outbound-rule.ts";
import { DEFAULT_SCOPE } from "../../core/policy/resolve.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type FoundRefusal, findRefusal } from "../refusal.ts";
import { refusedFlow, subjectOf } from "../render/refusal.ts";
import { difference, operatorOf, proposeOutboundRule, writeEdit } from "../rule-edit.ts";
import { expiryOf } from "../rule-wish.ts";

/** What a rule without ports allows. */
const TLS_PORT = 443;

export const command: Command = {
  path: ["approve"],
  summary: "Allow what was refused, by its id",
  about:
    "Adds exactly the allow that a refusal asks for, by its id in the error, the log and `seawall flows`, after it showed what that means. It never lifts a guard or a deny, and changes nothing in force until `seawall apply`.",
  usage: "seawall approve ID --why TEXT [--for 1h] [--policy FILE] [--yes] [--dry-run]",
  words: { least: 1, most: 1, shown: "ID" },
  who: "root-files",
  options: {
    why: { type: "string" },
    for: { type: "string" },
    policy: { type: "string" },
    yes: { type: "boolean" },
    "dry-run": { type: "boolean" },
  },
  optionHelp: {
    why: "the reason, for whoever reads the policy later (at least 10 characters)",
    for: "it ends by itself after this time (30m, 1h, 7d)",
    policy: "the policy file (policy.yaml of the configuration folder)",
    yes: "do not ask (wants the whole id)",
    "dry-run": "show the change, write nothing",
  },
  exits: {
    0: "written, or shown with --dry-run",
    1: "the answer was no; nothing was written",
    2: "bad usage, or an allow would not change it; nothing was written",
    3: "the file or the id is not there",
    5: "not root",
  },
  places: ["policy", "events", "operator"],
  examples: [
    'sudo seawall approve sw-c9xn9e --for 1h --why "the release needs it today"',
    'sudo seawall approve sw-c9xn9e --why "skills come from there" --dry-run',
  ],
  seeAlso: ["flows", "explain", "allow", "apply"],
  offers: { for: { kind: "word", words: ["30m", "1h", "1d", "7d"] }, policy: { kind: "file" } },
  run: (context) => {
    const [id = ""] = context.positionals;
    if (idForm(id) === undefined)
      throw usage("say which: an id like sw-c9xn9e, from `seawall flows` or an error text");
    const { why, policy: file } = context.flags;
    if (typeof why !== "string")
      throw usage("say why, so that somebody can decide about it later: --why TEXT");
    const found = findRefusal(foldersOf(context.env).state, id);
    refuseUnapprovable(found);
    refuseDoubtful(found);
    if (!isDry(context)) refuseUnseen(context, id, found);
    return approve(context, found, why, typeof file === "string" ? file : undefined);
  },
};

/** Shows what would be allowed, in words and as the difference, before it asks and writes. */
async function approve(
  context: CommandContext,
  found: FoundRefusal,
  why: string,
  file: string | undefined,
): Promise<ExitCode> {
  const wish = wishOf(context, found, why);
  const edit = proposeOutboundRule(context, file, wish);
  context.out(difference(edit.path, edit.before, edit.after));
  context.err(`${plain(sentenceOf(wish))}\n`);
  if (isDry(context)) {
    context.err("dry run: nothing was written\n");
    return EXIT.ok;
  }
  if (context.ask !== undefined && !isUnasked(context, found) && !(await context.ask("Write this rule?"))) {
    context.err("nothing was written\n");
    return EXIT.findings;
  }
  writeEdit(context, edit);
  return EXIT.ok;
}

function wishOf(context: CommandContext, { flow }: FoundRefusal, why: string): RuleWish {
  const isDns = flow.door === "dns";
  return {
    action: "allow",
    to: [flow.host ?? flow.destination],
    // A question names no port: what it is for is decided by the connection, and most are TLS.
    ports: isDns || flow.destinationPort === null ? null : [flow.destinationPort],
    protocol: flow.protocol === 17 && !isDns ? "udp" : "tcp",
    scope: flow.place,
    why,
    owner: operatorOf(context),
    expires: expiryOf(context, "approve"),
  };
}

/** What the rule would mean, as one sentence. */
function sentenceOf({ scope, to, protocol, ports, expires }: RuleWish): string {
  const who = scope === DEFAULT_SCOPE ? "the agent" : `the scope ${scope}`;
  const until = expires === null ? "" : ` until ${expires}`;
  return `${who} may then reach ${to.join(", ")}, ${protocol} ${(ports ?? [TLS_PORT]).join(", ")}${until}`;
}

function isDry(context: CommandContext): boolean {
  return context.flags["dry-run"] === true;
}

/** Whether `--yes` answers for whoever typed it: an id that no two targets can share is what was meant. */
function isUnasked(context: CommandContext, { id }: FoundRefusal): boolean {
  return context.flags["yes"] === true && idForm(id) === "full";
}

/** Two targets of one id: nobody knows which of them was read when somebody decided. */
function refuseDoubtful({ id, targets }: FoundRefusal): void {
  if (targets.length < 2) return;
  const named = targets.map((flow) => plain(subjectOf(flow))).join("; ");
  throw new SeawallError(
    "SEAWALL_POLICY",
    `${id} stands for ${targets.length} targets in the log: ${named}`,
    {
      still: "nothing was written",
      help: "seawall allow NAME --why TEXT, with the name that you mean",
    },
  );
}

/** Where nobody can be asked, what is typed must be enough to know the target by. */
function refuseUnseen(context: CommandContext, typed: string, { id }: FoundRefusal): void {
  const isFull = idForm(typed) === "full";
  if (context.ask !== undefined && (isFull || context.flags["yes"] !== true)) return;
  if (isFull) return;
  const isOld = idForm(id) === "old";
  throw usage(
    isOld
      ? `${id} was given by 0.1.0 and may be shared by two targets: it is approved at a terminal only, without --yes`
      : `without a question on a terminal the whole id is wanted: ${id}`,
  );
}

/** What a guard or a deny refuses is not one more allow away, and what could not be read names nothing. */
function refuseUnapprovable({ id, flow }: FoundRefusal): void {
  const cure = cureOf(refusedFlow(flow));
  if (cure.kind === "approve") return;
  const isFailure = flow.reason === "unreachable" || flow.reason === "unresolved";
  throw new SeawallError(
    "SEAWALL_POLICY",
    isFailure
      ? `${id} was not refused: it is allowed, and failed (${flow.reason})`
      : `${id} was refused (${flow.rule ?? flow.reason}), and a plain allow does not cure that`,
    { still: "nothing was written", help: cureText(cure) },
  );
}

function usage(message: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, {
    still: "nothing was written",
    help: "seawall approve --help",
  });
}
