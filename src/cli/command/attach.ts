import { existsSync } from "node:fs";
import { unitName } from "../../core/containment/slice.ts";
import { attachUnit, detachUnits, refuseOperators } from "../../install/attach.ts";
import { isSystemdRunning, systemctl } from "../../install/unit.ts";
import { SeawallError } from "../../core/base/error.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { loadPolicy, policyPath } from "../policy.ts";
import { plain } from "../../core/base/plain.ts";

const SCOPE = "agent";

export const command: Command = {
  path: ["attach"],
  summary: "Put a systemd unit below the slice of its scope",
  about:
    "Writes the slice of a scope by unit, and a drop-in that starts the unit below it: without that, the rules of the scope match nothing. It never restarts the unit; it holds from the next start on, and --undo takes all of it back.",
  usage: "seawall attach UNIT [--scope NAME] [--json]\nseawall attach --undo [--json]",
  words: { least: 0, most: 1, shown: "[UNIT]" },
  who: "root-files",
  options: { scope: { type: "string" }, undo: { type: "boolean" }, json: { type: "boolean" } },
  optionHelp: {
    scope: `the scope of the policy that the unit is (${SCOPE})`,
    undo: "remove every drop-in and slice that this command wrote",
    json: "print what was written or removed as JSON",
  },
  exits: { 0: "written, or there already", 2: "bad usage, or there is no such unit", 5: "not root" },
  places: ["kernel"],
  examples: ["sudo seawall attach openclaw", "sudo seawall attach --undo"],
  seeAlso: ["apply", "status", "uninstall"],
  run: async (context) => {
    const [unit] = context.positionals;
    if (context.flags["undo"] === true) {
      if (unit === undefined) return undo(context);
      throw new SeawallError("SEAWALL_USAGE", `--undo takes all of it back, not \`${plain(unit)}\` alone`, {
        still: "nothing was changed",
        help: "sudo seawall attach --undo",
      });
    }
    if (unit === undefined) {
      throw new SeawallError("SEAWALL_USAGE", "attach needs the name of a unit", {
        help: "seawall attach openclaw",
      });
    }
    const scope = String(context.flags["scope"] ?? SCOPE);
    if (!/^[a-z][a-z0-9_-]*$/.test(scope)) {
      throw new SeawallError("SEAWALL_USAGE", `\`${scope}\` is not the name of a scope`, {
        help: "--scope agent",
      });
    }
    refuseOtherScope(context, unit, scope);
    refuseOperators("/", unit);
    const done = attachUnit("/", unit, scope);
    reload(context);
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...done })}\n`);
    else context.out(`${plain(done.unit)} starts below ${done.slice} from its next start on\n`);
    context.err(`Next: systemctl restart ${plain(done.unit)}\n`);
    return EXIT.ok;
  },
};

/** A unit below the slice of a scope that is not by this unit is judged by nothing more than before. */
function refuseOtherScope(context: CommandContext, unit: string, scope: string): void {
  if (!existsSync(policyPath(context, undefined))) return;
  const { policy } = loadPolicy(context, undefined);
  const found = policy.scopes.find(({ name }) => name === scope);
  const refuse = (message: string, help: string): never => {
    throw new SeawallError("SEAWALL_SCOPE", message, { still: "nothing was changed", help });
  };
  if (found === undefined) {
    const names = policy.scopes.map(({ name }) => `--scope ${name}`).join(", ");
    return refuse(`the policy has no scope \`${scope}\``, names === "" ? "sudo seawall status" : names);
  }
  const { target } = found;
  if (target.kind !== "unit")
    refuse(
      `scope \`${scope}\` is by ${target.kind}, not by unit: there is nothing to attach`,
      `scopes: {${scope}: {unit: ${unitName(unit)}}} in the policy makes it one by unit`,
    );
  else if (unitName(target.unit) !== unitName(unit))
    refuse(
      `scope \`${scope}\` is the unit ${plain(target.unit)}`,
      `sudo seawall attach ${plain(target.unit)}`,
    );
}

function undo(context: CommandContext): ExitCode {
  const removed = detachUnits("/");
  reload(context);
  if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, removed })}\n`);
  else
    context.out(removed.length === 0 ? "no unit was attached\n" : `removed: ${plain(removed.join(", "))}\n`);
  return EXIT.ok;
}

function reload(context: CommandContext): void {
  const trouble = isSystemdRunning() ? systemctl("daemon-reload") : null;
  if (trouble !== null) context.err(`warning: ${plain(trouble)}\n`);
}
