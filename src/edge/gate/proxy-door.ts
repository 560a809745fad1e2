/** The explicit HTTP proxy: CONNECT for tunnels, absolute-form for plain HTTP. The same judge as everywhere. */
import type { Socket } from "node:net";
import { forwardHead } from "../../core/http/forward.ts";
import type { HostPort, RequestHead } from "../../core/http/head.ts";
import { encodeRefusal } from "../../core/http/refusal.ts";
import { createRequestStream, type RequestStream, type StreamStep } from "../../core/http/request-stream.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { readFirstBytes } from "./first-bytes.ts";
import { answer, firstSteps, requestProblem } from "./http-door.ts";
import { openByName, type Opened, openTo } from "./named-dial.ts";
import { cut, readAnswer, relayRequests } from "./request-relay.ts";
import { type Asked, gateDecision, type GateScope, refuse } from "./scope.ts";
import { runTunnel } from "./tunnel.ts";

/** Serves one client of the proxy to its end. */
export async function serveProxy(scope: GateScope, client: Socket): Promise<void> {
  const stream = createRequestStream();
  const first = await readFirstBytes(client, { read: (chunk) => firstSteps(stream, chunk) });
  if (first.kind === "closed") return void client.destroy();
  if (first.kind === "late") return deny(scope, client, null, LATE);
  const [step] = first.result;
  if (step?.kind !== "head") {
    const refused = first.result.find((one) => one.kind === "refused");
    return deny(scope, client, null, requestProblem(refused?.problem ?? "malformed"));
  }
  const { target } = step.head;
  switch (target.kind) {
    case "authority":
      return connectTo(scope, client, stream, target.host);
    case "absolute":
      return forward(scope, client, { stream, head: step.head, begun: first.result.slice(1) }, target.host);
    case "origin":
    case "asterisk":
      client.end(encodeRefusal(400, NOT_A_SITE));
      client.resume();
  }
}

const LATE = gateDecision("bad-request", "its request did not come in time");
const NOT_A_SITE = {
  reason: "bad-request",
  message: "this is Seawall's proxy, not a web site: name it as the HTTP proxy, and ask for whole URLs",
};

async function connectTo(
  scope: GateScope,
  client: Socket,
  stream: RequestStream,
  wanted: HostPort,
): Promise<void> {
  const opened = await open(scope, client, wanted);
  if (opened.kind === "refused") return answer(client, 403, opened.refusal);
  if (opened.kind === "failed") return answer(client, 502, opened.refusal);
  client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  const held = stream.upgraded().flatMap((step) => (step.kind === "raw" ? [step.bytes] : []));
  const { server, address } = opened;
  await runTunnel(scope, client, { server, address, host: nameOf(wanted), port: wanted.port, held });
}

interface Request {
  readonly stream: RequestStream;
  readonly head: RequestHead;
  readonly begun: readonly StreamStep[];
}

/** One request a connection: the server is told to close, and what follows the request is not read. */
async function forward(
  scope: GateScope,
  client: Socket,
  { stream, head, begun }: Request,
  wanted: HostPort,
): Promise<void> {
  const opened = await open(scope, client, wanted);
  if (opened.kind === "refused") return answer(client, 403, opened.refusal);
  if (opened.kind === "failed") return answer(client, 502, opened.refusal);
  const { server } = opened;
  let isWhole = false;
  const take = (step: StreamStep): void => {
    if (step.kind === "raw") server.socket.write(step.bytes);
    if (isWhole) return;
    if (step.kind === "body") server.socket.write(step.bytes);
    if (step.kind === "end") {
      isWhole = true;
      if (head.upgrade) void readAnswer(server).then((code) => code === 101 && takeAll(stream.upgraded()));
    }
    if (step.kind === "refused") {
      isWhole = true;
      refuse(scope, askedOf(wanted), requestProblem(step.problem));
      cut({ client, server });
    }
  };
  server.socket.write(forwardHead(head));
  const takeAll = relayRequests({ client, server, stream, take }, begun);
}

function open(scope: GateScope, client: Socket, { host, port }: HostPort): Promise<Opened> {
  if (host.kind === "name")
    return openByName(scope, client, { door: "proxy", host: host.name, port }, host.name);
  return openTo(scope, client, { door: "proxy", host: null, port }, host.ip);
}

function nameOf({ host }: HostPort): Hostname | null {
  return host.kind === "name" ? host.name : null;
}

function addressOf({ host }: HostPort): Ip | null {
  return host.kind === "address" ? host.ip : null;
}

function askedOf(wanted: HostPort | null): Asked {
  const address = wanted === null ? null : addressOf(wanted);
  return {
    door: "proxy",
    host: wanted === null ? null : nameOf(wanted),
    address: address === null ? null : formatIp(address),
    port: wanted?.port ?? 0,
    protocol: "tcp",
  };
}

function deny(scope: GateScope, client: Socket, wanted: HostPort | null, decision: Decision): void {
  const refusal = refuse(scope, askedOf(wanted), decision);
  answer(client, decision.reason === "bad-request" ? 400 : 403, refusal);
}
