import { SeawallError } from "../../core/base/error.ts";
import { canonicalHost } from "../../core/net/hostname.ts";
import { formatIp } from "../../core/net/ip.ts";
import { DEFAULT_SCOPE } from "../../core/policy/resolve.ts";
import { foldersOf } from "../../edge/state/folder.ts";
import { probe, type ProbeRequest } from "../../prove/probe.ts";
import { type Command, type CommandContext, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { probeScreen } from "../render/prove.ts";

export const command: Command = {
  path: ["probe"],
  summary: "Make one attempt from the agent's own place, and say who decided",
  about:
    "Makes one real connection attempt from the agent's own place and says who decided. It never sends any data over it.",
  usage: "seawall probe HOST:PORT [--as SCOPE] [--json]",
  words: { least: 1, most: 1, shown: "HOST:PORT" },
  who: "root-tries",
  options: { as: { type: "string" }, json: { type: "boolean" } },
  optionHelp: {
    as: `whose place (default: ${DEFAULT_SCOPE})`,
    json: "print one JSON object",
  },
  exits: {
    0: "reached",
    1: "not reached",
    2: "bad usage, or nothing is in force",
    3: "there is no such scope",
    5: "not root",
  },
  places: ["kernel", "history", "run", "accounts"],
  examples: [
    "sudo seawall probe api.github.com:443 --as agent",
    "sudo seawall probe [2001:db8::1]:22 --json",
  ],
  seeAlso: ["prove", "explain"],
  offers: { as: { kind: "word", words: ["agent"] } },
  onlyLooks: true,
  run: async (context) => {
    const request = requestOf(context);
    const probed = await probe(request);
    if (context.flags["json"] === true) context.out(`${JSON.stringify({ schema: SCHEMA, ...probed })}\n`);
    else context.out(probeScreen(probed));
    return probed.verdict === "reached" ? EXIT.ok : EXIT.findings;
  },
};

function requestOf({ positionals, flags, env, nowMs }: CommandContext): ProbeRequest {
  const [text = ""] = positionals;
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const host = canonicalHost(match?.[1] ?? match?.[2] ?? "");
  const port = Number(match?.[3]);
  if (match === null || positionals.length > 1 || host.kind === "invalid" || port < 1 || port > 65_535) {
    throw new SeawallError(
      "SEAWALL_USAGE",
      `say what to reach, HOST:PORT, not \`${positionals.join(" ")}\``,
      {
        still: "nothing was tried",
        help: "seawall probe api.github.com:443 --as agent",
      },
    );
  }
  const scope = flags["as"];
  return {
    folders: foldersOf(env),
    scope: typeof scope === "string" ? scope : undefined,
    host: host.kind === "address" ? null : host.name,
    address: host.kind === "address" ? formatIp(host.ip) : null,
    port,
    nowMs,
  };
}
