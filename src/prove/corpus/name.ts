/** Ways past the gate, which reads names, beside a name that it lets through. */
import type { Answer, Ask } from "../ask.ts";
import { judgeAttempt, judgeGreeting } from "../judge.ts";
import { held, type Judged, notHeld, notPossible, notShown } from "../row.ts";
import { type Listed, pledgeThroughGate, type Scene, tryAddress } from "../scene.ts";
import type { Entry } from "./entry.ts";

export const NAME: readonly Entry[] = [
  byName("sni-mismatch", "another server name at the address of a listed one", (scene) => [
    scene.uniqueName("sni"),
    null,
  ]),
  byName("no-sni", "TLS without a server name at the address of a listed one", () => [null, null]),
  byName("split-hello", "another server name, its greeting in small pieces", (scene) => [
    scene.uniqueName("split"),
    PIECE_BYTES,
  ]),
  { id: "host-mismatch", title: "another Host over HTTP at the address of a listed name", run: hostMismatch },
  { id: "trailing-dot", title: "a name that is not listed, with a trailing dot", run: trailingDot },
  { id: "nul-name", title: "a listed name, a NUL, and another name behind it", run: nulName },
  { id: "other-port", title: "another port at the address of a listed name", run: otherPort },
  { id: "quic-listed", title: "QUIC to the address of a listed name", run: quicListed },
  {
    id: "fronting",
    title: "a listed server name outside, another Host inside TLS (fronting)",
    run: fronting,
  },
];

const PIECE_BYTES = 5;
type Run = (scene: Scene, listed: Listed) => Promise<Judged>;

/** Rows beside a listed name: the name itself was reached from the same place, so only what is changed decides. */
function beside(scene: Scene, run: Run): Promise<Judged> {
  const { listed } = scene;
  return typeof listed === "string" ? Promise.resolve(notPossible(listed)) : run(scene, listed);
}

function byName(
  id: string,
  title: string,
  choose: (scene: Scene) => readonly [name: string | null, pieceBytes: number | null],
): Entry {
  return {
    id,
    title,
    run: (scene) =>
      beside(scene, async (_, { address }) => {
        const [name, pieceBytes] = choose(scene);
        return greetAs(scene, { do: "tls", address, port: 443, name, pieceBytes });
      }),
  };
}

async function greetAs(scene: Scene, ask: Extract<Ask, { do: "tls" }>): Promise<Judged> {
  const answer = await scene.agent.ask(ask);
  const { address, port, name } = ask;
  const hit = await scene.log.find({
    address,
    port,
    protocol: "tcp",
    host: name?.replace(/\.$/, "") ?? null,
  });
  return judgeGreeting(answer, pledgeThroughGate(scene, { address, port, protocol: "tcp" }), hit);
}

function hostMismatch(scene: Scene): Promise<Judged> {
  return beside(scene, async (_, { name, address }) => {
    const head = (host: string): string => `HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    if (scene.decide(name, null, 80, "tcp").verdict !== "accept")
      return notPossible(`no rule allows ${name} over HTTP`);
    const control = await scene.agent.ask({ do: "say", address, port: 80, text: head(name) });
    if (control.outcome !== "reached" || refusalIn(control) !== null)
      return notPossible(`${name} itself is not reached over HTTP (${control.code})`);
    const answer = await scene.agent.ask({
      do: "say",
      address,
      port: 80,
      text: head(scene.uniqueName("host")),
    });
    const id = refusalIn(answer);
    const pledge = pledgeThroughGate(scene, { address, port: 80, protocol: "tcp" });
    return id === null ? judgeAttempt(answer, pledge, null) : held(`403 in ${answer.ms} ms; gate: ${id}`);
  });
}

/** Through the explicit proxy where there is one; a container has none and says it in its greeting. */
function trailingDot(scene: Scene): Promise<Judged> {
  const name = `${scene.uniqueName("dot")}.`;
  if (hasProxy(scene)) return askProxy(scene, name);
  return beside(scene, (_, { address }) =>
    greetAs(scene, { do: "tls", address, port: 443, name, pieceBytes: null }),
  );
}

function nulName(scene: Scene): Promise<Judged> {
  if (!hasProxy(scene))
    return Promise.resolve(notPossible("it has no explicit proxy, and no other way to say a NUL"));
  return beside(scene, (_, { name }) => askProxy(scene, `${name}\0.${scene.uniqueName("nul")}`));
}

function hasProxy({ hasGate, place }: Scene): boolean {
  return hasGate && place.kind !== "guest";
}

async function askProxy(scene: Scene, name: string): Promise<Judged> {
  const text = `CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`;
  const answer = await scene.agent.ask({ do: "say", address: "127.0.0.1", port: scene.ports.proxy, text });
  return judgeProxied(answer, scene);
}

/** A 502 of an unlisted name means that somebody was asked for it: that is a way out too. */
export function judgeProxied(answer: Answer, { gatePledge }: Pick<Scene, "gatePledge">): Judged {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer.text)?.[1];
  if (answer.outcome === "failed") return notShown(answer.code);
  if (answer.outcome !== "reached" || status === undefined)
    return notPossible(`the explicit proxy does not answer (${answer.code})`);
  if (status === "400" || status === "403") {
    const said = [status, refusalIn(answer)].filter((word) => word !== null).join(" ");
    return held(`${said} in ${answer.ms} ms; gate`);
  }
  return judgeAttempt({ ...answer, code: `HTTP ${status}` }, gatePledge, null);
}

/** Returns reason and id of a refusal that the gate wrote, or null. */
export function refusalIn({ text }: Answer): string | null {
  if (!/^HTTP\/1\.[01] (400|403)/.test(text)) return null;
  const id = /"id":\s*"(sw-[a-z0-9]+)"/.exec(text)?.[1];
  const reason = /"reason":\s*"([a-z-]+)"/.exec(text)?.[1];
  return id === undefined ? null : `${reason ?? "refused"} ${id}`;
}

/** Ports on which web servers also answer; the first that no rule allows is tried. */
const OTHER_PORTS = [8443, 8080, 2053, 8880];

function otherPort(scene: Scene): Promise<Judged> {
  return beside(scene, async (_, { name, address }) => {
    const port = OTHER_PORTS.find((one) => scene.decide(name, address, one, "tcp").verdict !== "accept");
    if (port === undefined) return notPossible(`rules allow every port of ${name}`);
    return tryAddress(scene, { do: "tcp", address, port });
  });
}

function quicListed(scene: Scene): Promise<Judged> {
  return beside(scene, async (_, { name, address }) => {
    if (scene.decide(name, address, 443, "udp").verdict === "accept")
      return notPossible(`a rule allows UDP to ${name}`);
    return tryAddress(scene, { do: "udp", address, port: 443 });
  });
}

/** Nothing is tried: it is so by design, and the documentation says it. */
function fronting(scene: Scene): Promise<Judged> {
  return beside(scene, (_, { name }) =>
    Promise.resolve({
      ...notHeld(`known limit: what is said inside TLS to ${name} is not seen`, "TLS inspection"),
      promised: false,
      limit: true,
    }),
  );
}
