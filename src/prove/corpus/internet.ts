/** Ways out by address, and by asking others for addresses. */
import { TYPE } from "../../core/dns/message.ts";
import { allowsOf } from "../../core/policy/gated.ts";
import { judgeQuestion, pledgeOf } from "../judge.ts";
import { ping } from "../ping.ts";
import { type Judged, notPossible } from "../row.ts";
import { hitOf, judgeFlow, pledgeThroughGate, type Scene, tryAddress } from "../scene.ts";
import type { Entry } from "./entry.ts";

/**
 * Services that answer everybody on these ports, so that a refused connection was refused on the way. Nothing is sent
 * to them but the beginning of a connection, and that only where nothing holds it.
 */
const CLOUDFLARE4 = "1.1.1.1";
const CLOUDFLARE6 = "2606:4700:4700::1111";
const GOOGLE4 = "8.8.8.8";
const GOOGLE6 = "2001:4860:4860::8888";
const METADATA4 = "169.254.169.254";
const METADATA6 = "fd00:ec2::254";

const byTcp = (id: string, title: string, address: string, port: number): Entry => ({
  id,
  title,
  run: (scene) => tryAddress(scene, { do: "tcp", address, port }),
});
const byUdp = (id: string, title: string, address: string, port: number): Entry => ({
  id,
  title,
  run: (scene) => tryAddress(scene, { do: "udp", address, port }),
});

export const INTERNET: readonly Entry[] = [
  byTcp("raw-ipv4", `TCP straight to an IPv4 address (${CLOUDFLARE4}:80)`, CLOUDFLARE4, 80),
  byTcp("raw-ipv6", `TCP straight to an IPv6 address ([${CLOUDFLARE6}]:80)`, CLOUDFLARE6, 80),
  byUdp("quic-ipv4", `QUIC (UDP ${GOOGLE4}:443)`, GOOGLE4, 443),
  byUdp("quic-ipv6", `QUIC over IPv6 (UDP [${GOOGLE6}]:443)`, GOOGLE6, 443),
  byTcp("dot", `DNS over TLS (${GOOGLE4}:853)`, GOOGLE4, 853),
  byTcp("doh-cloudflare", `DNS over HTTPS by address (${CLOUDFLARE4}:443)`, CLOUDFLARE4, 443),
  byTcp("doh-google", `DNS over HTTPS by address (${GOOGLE4}:443)`, GOOGLE4, 443),
  byTcp("doh-ipv6", `DNS over HTTPS by IPv6 address ([${GOOGLE6}]:443)`, GOOGLE6, 443),
  question("dns-udp", "a question to another resolver over UDP", GOOGLE4, "udp", TYPE.A),
  question("dns-tcp", "a question to another resolver over TCP", CLOUDFLARE4, "tcp", TYPE.A),
  question("dns-ipv6", "a question to another resolver over IPv6", GOOGLE6, "udp", TYPE.AAAA),
  question("txt-tunnel", "a TXT question that carries bytes in its name", null, "udp", TYPE.TXT),
  { id: "txt-wildcard", title: "a TXT question below a wildcard of the policy", run: askBelowWildcard },
  byTcp("metadata-ipv4", `the metadata service (${METADATA4}:80)`, METADATA4, 80),
  byTcp("metadata-ipv6", `the metadata service over IPv6 ([${METADATA6}]:80)`, METADATA6, 80),
  echo("icmp", `ICMP echo (${CLOUDFLARE4})`, CLOUDFLARE4),
  echo("icmp-ipv6", `ICMPv6 echo (${CLOUDFLARE6})`, CLOUDFLARE6),
  byTcp("proxy-ignored", `a program that ignores proxy variables (NO_PROXY=*, ${GOOGLE4}:80)`, GOOGLE4, 80),
];

/** A name that nobody lists must be answered by our gate, whatever server is asked: zero packets go upstream. */
function question(
  id: string,
  title: string,
  server: string | null,
  over: "udp" | "tcp",
  type: number,
): Entry {
  return {
    id,
    title: server === null ? title : `${title} (${server})`,
    run: async (scene) => {
      const name = scene.uniqueName(id);
      const address = server ?? scene.resolver;
      const answer = await scene.agent.ask({ do: "dns", server: address, name, type, over });
      const wanted = { address, port: 53, protocol: over } as const;
      const direct = pledgeOf(scene.decide(null, address, 53, over));
      const byName = pledgeOf(scene.decide(name, null, 443, "tcp"));
      const pledge = scene.hasGate && direct.kind !== "allowed" ? byName : direct;
      const hit = answer.dns === null ? await hitOf(scene, answer, wanted) : null;
      return judgeQuestion(answer, pledge, hit);
    },
  };
}

function echo(id: string, title: string, address: string): Entry {
  return {
    id,
    title,
    run: async (scene) => {
      const answer = await ping(scene.place.enter, scene.place.identity, address);
      if (typeof answer === "string") return notPossible(answer);
      return judgeFlow(scene, answer, { address, port: 0, protocol: "icmp" });
    },
  };
}

/** Below a wildcard anybody chooses the labels, so only addresses may be answered there. */
async function askBelowWildcard(scene: Scene): Promise<Judged> {
  const patterns = allowsOf(scene.policy, scene.scope.name).flatMap(({ names }) => names);
  const wildcard = patterns.find((one) => one.kind !== "exact");
  if (wildcard === undefined) return notPossible("no rule of it is by wildcard");
  const name = `${scene.uniqueName("txt").split(".", 1)[0] ?? ""}.${wildcard.suffix}`;
  const server = scene.resolver;
  const answer = await scene.agent.ask({ do: "dns", server, name, type: TYPE.TXT, over: "udp" });
  return judgeQuestion(
    answer,
    pledgeThroughGate(scene, { address: server, port: 53, protocol: "udp" }),
    null,
  );
}
