import { SeawallError } from "../../core/base/error.ts";
import { DEFAULT_SCOPE } from "../../core/policy/resolve.ts";
import { type Command, NO_WORDS } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { placesOf } from "../place.ts";
import { loadPolicy } from "../policy.ts";

export const command: Command = {
  path: ["gate"],
  summary: "Run the gates alone: explicit proxy and DNS",
  about:
    "Runs an explicit proxy and a DNS server that let through what the policy lists, without kernel rules or a daemon. It never resolves or dials what is not listed; without kernel rules nothing makes a program ask it.",
  usage: [
    "seawall gate --upstream ADDR:PORT[,...] [--proxy ADDR:PORT] [--dns ADDR:PORT] [--policy FILE] [--scope NAME] [--json]",
    "seawall gate --link SOCKET",
  ].join("\n"),
  words: NO_WORDS,
  who: "anybody",
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
  exits: {
    0: "ended by a signal",
    2: "bad usage or policy, or it cannot listen",
    3: "the file is not there",
    5: "not root, and only root may read the file",
  },
  places: ["policy"],
  examples: [
    "seawall gate --proxy 127.0.0.1:18901 --dns 127.0.0.1:18953 --upstream 9.9.9.9:53",
    "seawall gate --policy policy.yaml --proxy 127.0.0.1:18901 --upstream 9.9.9.9:53 --json",
  ],
  seeAlso: ["daemon", "explain"],
  offers: {
    policy: { kind: "file" },
    scope: { kind: "word", words: ["agent"] },
    proxy: { kind: "word", words: ["127.0.0.1:18901"] },
    dns: { kind: "word", words: ["127.0.0.1:18953"] },
    link: { kind: "file" },
  },
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
