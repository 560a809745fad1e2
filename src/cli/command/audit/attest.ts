import { ATTESTABLE } from "../../../core/audit/waiver.ts";
import { SeawallError } from "../../../core/base/error.ts";
import type { Command } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { addEntry, checkArgument, dayOf, ownerOf } from "./write-word.ts";

export const command: Command = {
  path: ["audit", "attest"],
  summary: "State what no program can see: billing limits, the provider's firewall",
  about:
    "Writes into audit.yaml what only you can know, such as a billing limit. It never takes your word for what can be seen: such a check is refused.",
  usage: "seawall audit attest CHECK --says TEXT [--owner NAME]",
  words: { least: 1, most: 1, shown: "CHECK" },
  who: "root-files",
  options: { says: { type: "string" }, owner: { type: "string" } },
  optionHelp: { says: "what is so, at least 10 characters", owner: "who states it (default: you)" },
  exits: {
    0: "written",
    2: "bad usage, or it can be seen and is not attested",
    3: "there is no such check",
    5: "not root",
  },
  places: ["word", "operator"],
  examples: [
    'sudo seawall audit attest APP-018 --says "50 USD a month at Anthropic, 20 at OpenAI"',
    'sudo seawall audit attest APP-018 --says "prepaid only, no automatic top-up" --owner maria',
  ],
  seeAlso: ["checks list", "audit", "audit waive"],
  argument: { kind: "word", words: ATTESTABLE },
  run: async (context) => {
    const check = checkArgument(context);
    const { says } = context.flags;
    if (!ATTESTABLE.includes(check.id))
      throw new SeawallError("SEAWALL_USAGE", `${check.id} can be seen, so it is not attested`, {
        help: `seawall audit --check ${check.id}`,
      });
    if (typeof says !== "string")
      throw new SeawallError("SEAWALL_USAGE", "`--says` is missing", { help: "seawall audit attest --help" });
    const path = addEntry(context, "attested", {
      check: check.id,
      says,
      owner: ownerOf(context),
      on: dayOf(context.nowMs()),
    });
    context.out(`${check.id} is attested (${path})\n`);
    return EXIT.ok;
  },
};
