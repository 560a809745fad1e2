import { SeawallError } from "../../core/base/error.ts";
import { compileNftables } from "../../core/compile/nftables/compile.ts";
import { renderRuleset } from "../../core/compile/nftables/render.ts";
import { uidRanges } from "../../core/compile/nftables/scope.ts";
import { readAccounts } from "../../edge/host/accounts.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { loadPolicy } from "../policy.ts";
import { renderDiagnostics } from "../render/diagnostic.ts";

const TARGETS = ["nftables"];

export const command: Command = {
  path: ["compile"],
  summary: "Print what a target would be given",
  about:
    "Prints the nftables ruleset that a policy becomes. It never loads anything, and prints nothing when a rule cannot be expressed exactly.",
  usage: "seawall compile nftables [--policy FILE]",
  words: { least: 1, most: 1, shown: "nftables" },
  who: "anybody",
  options: { policy: { type: "string" } },
  optionHelp: { policy: "the policy file" },
  exits: {
    0: "printed",
    2: "bad usage or policy, or it cannot be expressed; nothing was printed",
    3: "the file is not there",
    5: "not root, and only root may read the file",
  },
  places: ["policy", "accounts"],
  examples: [
    "seawall compile nftables --policy policy.yaml",
    "seawall compile nftables --policy policy.yaml | nft -c -f -",
  ],
  seeAlso: ["apply", "policy check"],
  offers: { policy: { kind: "file" } },
  argument: { kind: "word", words: TARGETS },
  isDocument: true,
  run: async (context) => {
    const [target] = context.positionals;
    if (target === undefined || !TARGETS.includes(target)) {
      throw new SeawallError(
        "SEAWALL_USAGE",
        target === undefined ? "say for which target" : `there is no target \`${target}\``,
        {
          help: `seawall compile ${TARGETS.join("|")} --policy FILE`,
        },
      );
    }
    const named = context.flags["policy"];
    const { policy, text, path } = loadPolicy(context, typeof named === "string" ? named : undefined);
    const accounts = readAccounts();
    const compiled = compileNftables(policy, { generation: 1, accounts });
    if (!compiled.ok) {
      context.err(renderDiagnostics(compiled.diagnostics, text, path, false));
      throw new SeawallError("SEAWALL_POLICY", `nftables cannot express the policy \`${path}\``, {
        still: "nothing was weakened and nothing was printed",
      });
    }
    const notes = [`Seawall ruleset of ${path}`];
    for (const { name, target: who } of policy.outbound === null ? [] : policy.scopes) {
      if (who.kind === "user" && uidRanges(who.user, accounts) === undefined) {
        const note = `scope ${name}: there is no user ${who.user} here, so nothing is judged for it`;
        context.err(`warning: ${note}; \`apply\` will refuse\n`);
        notes.push(note);
      }
    }
    context.out(renderRuleset(compiled.ruleset, notes));
    return EXIT.ok;
  },
};
