import { SeawallError } from "../../core/base/error.ts";
import { isRefusalId } from "../../core/gate/refusal.ts";
import { cureOf, cureText } from "../../core/policy/cure.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { type FoundRefusal, findRefusal } from "../refusal.ts";
import { refusedFlow } from "../render/refusal.ts";
import { addOutboundRule, operatorOf } from "../rule-edit.ts";
import { expiryOf } from "../rule-wish.ts";

export const command: Command = {
  path: ["approve"],
  summary: "Allow what was refused, by its id",
  about:
    "Adds exactly the allow that a refusal asks for, by the id that the error, the log and `seawall flows` show. It never lifts a guard or a deny, and changes nothing in force until `seawall apply`.",
  usage: "seawall approve ID --why TEXT [--for 1h] [--policy FILE] [--dry-run]",
  words: { least: 1, most: 1, shown: "ID" },
  who: "root-files",
  options: {
    why: { type: "string" },
    for: { type: "string" },
    policy: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  optionHelp: {
    why: "the reason, for whoever reads the policy later (at least 10 characters)",
    for: "it ends by itself after this time (30m, 1h, 7d)",
    policy: "the policy file (policy.yaml of the configuration folder)",
    "dry-run": "show the change, write nothing",
  },
  exits: {
    0: "written, or shown with --dry-run",
    2: "bad usage, or an allow would not change it; nothing was written",
    3: "the file or the id is not there",
    5: "not root",
  },
  places: ["policy", "events", "operator"],
  examples: [
    'sudo seawall approve sw-c9xn9ebqfe --for 1h --why "the release needs it today"',
    'sudo seawall approve sw-c9xn9ebqfe --why "skills come from there" --dry-run',
  ],
  seeAlso: ["flows", "explain", "allow", "apply"],
  offers: { for: { kind: "word", words: ["30m", "1h", "1d", "7d"] }, policy: { kind: "file" } },
  run: (context) => {
    const [id = ""] = context.positionals;
    if (!isRefusalId(id))
      throw usage("say which: an id like sw-c9xn9ebqfe, from `seawall flows` or an error text");
    const { why, policy: file } = context.flags;
    if (typeof why !== "string")
      throw usage("say why, so that somebody can decide about it later: --why TEXT");
    const found = findRefusal(foldersOf(context.env).state, id);
    refuseUnapprovable(found);
    approve(context, found, why, typeof file === "string" ? file : undefined);
    return Promise.resolve(EXIT.ok);
  },
};

function approve(
  context: CommandContext,
  { flow }: FoundRefusal,
  why: string,
  file: string | undefined,
): void {
  const isDns = flow.door === "dns";
  const wish = {
    action: "allow",
    to: [flow.host ?? flow.destination],
    // A question names no port: what it is for is decided by the connection, and most are TLS.
    ports: isDns || flow.destinationPort === null ? null : [flow.destinationPort],
    protocol: flow.protocol === 17 && !isDns ? "udp" : "tcp",
    scope: flow.place,
    why,
    owner: operatorOf(context),
    expires: expiryOf(context, "approve"),
  } as const;
  addOutboundRule(context, file, wish, context.flags["dry-run"] === true);
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
