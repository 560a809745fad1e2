import { SeawallError } from "../../core/base/error.ts";
import { DEFAULT_SCOPE } from "../../core/policy/resolve.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { placesOf } from "../place.ts";
import { loadPolicy } from "../policy.ts";

export const command: Command = {
  path: ["gate"],
  summary: "Run the gates alone: explicit proxy and DNS",
  usage:
    "seawall gate --policy FILE --upstream ADDR:PORT[,...] [--proxy ADDR:PORT] [--dns ADDR:PORT] [--scope NAME]",
  options: {
    policy: { type: "string" },
    proxy: { type: "string" },
    dns: { type: "string" },
    upstream: { type: "string" },
    scope: { type: "string" },
    json: { type: "boolean" },
    link: { type: "string" },
  },
  optionHelp: {
    link: "the socket of seawalld, which starts the gates so",
    policy: "the policy file that decides",
    proxy: "where the HTTP proxy listens",
    dns: "where DNS listens, UDP and TCP",
    upstream: "the resolvers to ask for listed names",
    scope: "whose rules decide (agent)",
    json: "print every decision as one line of JSON",
  },
  examples: [
    "seawall gate --policy policy.yaml --proxy 127.0.0.1:18901 --dns 127.0.0.1:18953 --upstream 9.9.9.9:53",
  ],
  run: async (context) => {
    const { out, err, nowMs, signal } = context;
    const { link } = context.flags;
    if (typeof link === "string") {
      const { runLinked } = await import("../../gate/linked.ts");
      await runLinked({ path: link, err, nowMs, signal });
      return EXIT.ok;
    }
    const file = context.flags["policy"];
    const { policy } = loadPolicy(context, typeof file === "string" ? file : undefined);
    const scope = String(context.flags["scope"] ?? DEFAULT_SCOPE);
    if (!policy.scopes.some(({ name }) => name === scope)) {
      throw usage(
        `the policy has no scope \`${scope}\``,
        `--scope ${policy.scopes[0]?.name ?? DEFAULT_SCOPE}`,
      );
    }
    const [proxy = null, dns = null] = ["proxy", "dns"].map((flag) => placesOf(context, flag)[0]);
    if (proxy === null && dns === null) throw usage("nothing to listen on", "--proxy 127.0.0.1:18901");
    const upstream = placesOf(context, "upstream");
    if (upstream.length === 0) throw usage("no resolver to ask", "--upstream 9.9.9.9:53");
    const { runAlone } = await import("../../gate/alone.ts");
    const json = context.flags["json"] === true;
    await runAlone({ policy, scope, proxy, dns, upstream, json, out, err, nowMs, signal });
    return EXIT.ok;
  },
};

function usage(message: string, help: string): SeawallError {
  return new SeawallError("SEAWALL_USAGE", message, { still: "the gate did not start", help });
}
