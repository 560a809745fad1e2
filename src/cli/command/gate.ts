import { SeawallError } from "../../core/base/error.ts";
import { canonicalHost } from "../../core/net/hostname.ts";
import { formatIp } from "../../core/net/ip.ts";
import { DEFAULT_SCOPE } from "../../core/policy/resolve.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { loadPolicy } from "../policy.ts";

export const command: Command = {
  path: ["gate"],
  summary: "Run the gates alone: explicit proxy and DNS for one scope",
  usage:
    "seawall gate --policy FILE [--proxy ADDR:PORT] [--dns ADDR:PORT] --upstream ADDR:PORT[,...] [--scope NAME] [--json]",
  options: {
    policy: { type: "string" },
    proxy: { type: "string" },
    dns: { type: "string" },
    upstream: { type: "string" },
    scope: { type: "string" },
    json: { type: "boolean" },
  },
  optionHelp: {
    policy: "the policy file that decides",
    proxy: "where the HTTP proxy listens",
    dns: "where DNS listens, UDP and TCP",
    upstream: "the resolvers to ask for listed names",
    scope: "whose rules decide (agent)",
    json: "print every decision as one line of JSON",
  },
  examples: ["seawall gate --policy policy.yaml --proxy 127.0.0.1:18901 --dns 127.0.0.1:18953 --upstream 9.9.9.9:53"],
  run: async (context) => {
    const file = context.flags["policy"];
    const { policy } = loadPolicy(context, typeof file === "string" ? file : undefined);
    const scope = String(context.flags["scope"] ?? DEFAULT_SCOPE);
    if (!policy.scopes.some(({ name }) => name === scope)) {
      throw usage(`the policy has no scope \`${scope}\``, `--scope ${policy.scopes[0]?.name ?? DEFAULT_SCOPE}`);
    }
    const [proxy = null, dns = null] = ["proxy", "dns"].map((flag) => placesOf(context, flag)[0]);
    if (proxy === null && dns === null) throw usage("nothing to listen on", "--proxy 127.0.0.1:18901");
    const upstream = placesOf(context, "upstream");
    if (upstream.length === 0) throw usage("no resolver to ask", "--upstream 9.9.9.9:53");
    const { runAlone } = await import("../../gate/alone.ts");
    const { out, err, nowMs, signal } = context;
    const json = context.flags["json"] === true;
    await runAlone({ policy, scope, proxy, dns, upstream, json, out, err, nowMs, signal });
    return EXIT.ok;
  },
};

interface Place {
  readonly address: string;
  readonly port: number;
}

/** LIMIT: resolvers of one gate. */
const PLACES_MAX = 8;

function placesOf({ flags }: CommandContext, flag: string): Place[] {
  const text = flags[flag];
  if (typeof text !== "string") return [];
  return text.split(",").slice(0, PLACES_MAX).map((one) => placeOf(flag, one));
}

function placeOf(flag: string, text: string): Place {
  const match = /^(.+):([0-9]{1,5})$/.exec(text);
  const host = canonicalHost(match?.[1] ?? "");
  const port = Number(match?.[2]);
  if (host.kind === "address" && port <= 65_535) return { address: formatIp(host.ip), port };
  throw usage(`--${flag} is an address and a port, not \`${text}\``, `--${flag} 127.0.0.1:18901`);
}

function usage(message: string, help: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, { still: "the gate did not start", help });
}
