/**
 * What a scope sends to port 80 of a pinned address, and to port 80 through a tunnel: the Host of every request
 * decides, also of those that follow on the same connection.
 */
import type { Socket } from "node:net";
import { createRequestStream, type RequestStream, type StreamStep } from "../../core/http/request-stream.ts";
import type { RequestHead, RequestProblem } from "../../core/http/head.ts";
import { encodeRefusal } from "../../core/http/refusal.ts";
import { type Refusal, refusalBody } from "../../core/gate/refusal.ts";
import type { GateDoor } from "../../core/gate/report.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import { formatIp } from "../../core/net/ip.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { SEEN_PROTOCOL, seenProtocol } from "../../core/gate/seen-protocol.ts";
import { reset } from "./dial.ts";
import { type FirstBytesOptions, readFirstBytes } from "./first-bytes.ts";
import { openTo } from "./named-dial.ts";
import { cut, readAnswer, relayRequests } from "./request-relay.ts";
import { type Asked, gateDecision, type GateScope, passes, refuse } from "./scope.ts";
import type { ServerSide } from "./server-side.ts";
import type { Destination } from "./tls-door.ts";

/** Serves one diverted connection to its end. */
export async function serveHttp(scope: GateScope, client: Socket, destination: Destination): Promise<void> {
  const { address, port } = destination;
  const asked: Asked = { door: "http", host: null, address: formatIp(address), port, protocol: "tcp" };
  const stream = createRequestStream();
  const first = await readFirstRequest(client, stream);
  if (first.kind === "closed") return void client.destroy();
  if (first.kind === "stranger") {
    refuse(scope, asked, first.decision);
    return reset(client);
  }
  if (first.kind === "late") {
    return deny(scope, client, asked, gateDecision("bad-request", "its request did not come in time"));
  }
  const [head] = first.result;
  if (head?.kind !== "head") return deny(scope, client, asked, problemOf(first.result));
  const named = nameOf(head.head, port);
  if (!named.ok) return deny(scope, client, asked, named.decision);
  const { host } = named;
  const decision = scope.judge().judgeConnection(host, address, port, scope.nowMs());
  if (!passes(decision)) return deny(scope, client, { ...asked, host }, decision);
  const opened = await openTo(scope, client, { door: "http", host, port }, address);
  if (opened.kind === "refused") return answer(client, 403, opened.refusal);
  if (opened.kind === "failed") return answer(client, 502, opened.refusal);
  passRequests(scope, client, opened.server, { door: "http", host, port, stream }, first.result);
}

export interface Relay {
  readonly door: GateDoor;
  readonly host: Hostname;
  readonly port: number;
  readonly stream: RequestStream;
}

/** As `readFirstBytes`; what is another protocol by sight is told as that, and understands no HTTP answer. */
export async function readFirstRequest(
  client: Socket,
  stream: RequestStream,
  options: Omit<FirstBytesOptions<readonly StreamStep[]>, "read"> = {},
) {
  let begun: Buffer | null = null;
  const first = await readFirstBytes(client, {
    ...options,
    read: (chunk) => {
      begun ??= chunk;
      return firstSteps(stream, chunk);
    },
  });
  const seen = begun === null ? null : seenProtocol(begun);
  if (first.kind === "closed" || seen === null || seen === "is-http") return first;
  return { kind: "stranger", decision: gateDecision(seen, SEEN_PROTOCOL[seen]) } as const;
}

/** Returns the steps once there is a head, or a refusal. */
export function firstSteps(stream: RequestStream, chunk: Buffer): readonly StreamStep[] | undefined {
  const steps = stream.push(chunk);
  return steps.length === 0 ? undefined : steps;
}

/** Passes requests on one by one; the first that names another host, or cannot be read, ends the connection. */
export function passRequests(
  scope: GateScope,
  client: Socket,
  server: ServerSide,
  { door, host, port, stream }: Relay,
  begun: readonly StreamStep[],
): void {
  const asked: Asked = { door, host, address: null, port, protocol: "tcp" };
  let heads = 0;
  let isOver = false;
  let upgrade: RequestHead | null = null;
  const stop = (decision: Decision): void => {
    isOver = true;
    refuse(scope, asked, decision);
    cut({ client, server });
  };
  const take = (step: StreamStep): void => {
    if (isOver) return;
    switch (step.kind) {
      case "head": {
        heads += 1;
        const named = nameOf(step.head, port);
        if (!named.ok) return stop(named.decision);
        if (named.host !== host) return stop(ANOTHER_HOST);
        if (step.head.upgrade && heads > 1) return stop(LATE_UPGRADE);
        if (step.head.upgrade) upgrade = step.head;
        server.socket.write(step.raw);
        return;
      }
      case "body":
      case "raw":
        server.socket.write(step.bytes);
        return;
      case "end":
        if (upgrade !== null) awaitUpgrade();
        return;
      case "refused":
        return stop(requestProblem(step.problem));
    }
  };
  const awaitUpgrade = (): void => {
    upgrade = null;
    void readAnswer(server).then((code) => {
      if (code === null) return;
      takeAll(code === 101 ? stream.upgraded() : stream.declined());
    });
  };
  const takeAll = relayRequests({ client, server, stream, take }, begun);
}

type Named =
  | { readonly ok: true; readonly host: Hostname }
  | { readonly ok: false; readonly decision: Decision };

function nameOf(head: RequestHead, port: number): Named {
  if (head.target.kind === "authority") return { ok: false, decision: NOT_A_PROXY };
  const { host } = head;
  if (host === null || host.host.kind !== "name") return { ok: false, decision: NO_HOST };
  if (host.port !== port) return { ok: false, decision: ANOTHER_PORT };
  return { ok: true, host: host.host.name };
}

const ANOTHER_HOST = gateDecision(
  "name-mismatch",
  "a later request on the same connection names another host",
);
const ANOTHER_PORT = gateDecision("name-mismatch", "its Host names another port than it was sent to");
const LATE_UPGRADE = gateDecision(
  "bad-request",
  "it asks for another protocol in the middle of a connection",
);
const NOT_A_PROXY = gateDecision("bad-request", "it asks a web server to be its proxy");
const NO_HOST = gateDecision("no-name", "it names no host");

const PROBLEMS: Readonly<Record<RequestProblem, string>> = {
  malformed: "its request is malformed",
  "too-long": "its request head is longer than any real one",
  "no-host": "its request names no host",
  "duplicate-host": "its request names two hosts",
  "invalid-host": "its Host is no host name",
  "host-mismatch": "its request line and its Host name two hosts",
  "ambiguous-length": "the length of its body can be read in two ways",
  "http2-cleartext": "it is HTTP/2 without TLS, in which the host cannot be read",
  "not-http": "it is not HTTP, and on this port the name is read from HTTP",
  unsupported: "it uses something of HTTP that cannot be judged",
};

export function requestProblem(problem: RequestProblem): Decision {
  const reason =
    problem === "no-host" ? "no-name" : problem === "host-mismatch" ? "name-mismatch" : "bad-request";
  return gateDecision(reason, PROBLEMS[problem]);
}

function problemOf(steps: readonly StreamStep[]): Decision {
  const found = steps.find((step) => step.kind === "refused");
  return requestProblem(found?.problem ?? "malformed");
}

function deny(scope: GateScope, client: Socket, asked: Asked, decision: Decision): void {
  answer(client, 403, refuse(scope, asked, decision));
}

/** Answers with the refusal as JSON and closes. */
export function answer(client: Socket, status: number, refusal: Refusal): void {
  client.end(encodeRefusal(status, refusalBody(refusal)));
  client.resume();
  setTimeout(() => client.destroy(), LINGER_MS).unref();
}

const LINGER_MS = 1_000;
