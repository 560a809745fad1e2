/** What goes through a CONNECT: its TLS server name or its Host must be the name that the tunnel was asked for. */
import type { Socket } from "node:net";
import { createRequestStream } from "../../core/http/request-stream.ts";
import { looksLikeTls } from "../../core/tls/client-hello.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { join, reset } from "./dial.ts";
import { readFirstBytes, SILENCE_WAIT_MS } from "./first-bytes.ts";
import { NO_SERVER_NAME, readHello } from "./hello.ts";
import { passRequests, readFirstRequest } from "./http-door.ts";
import { gateDecision, type GateScope, passes, refuse } from "./scope.ts";
import type { ServerSide } from "./server-side.ts";
import { endAsSpoken } from "./tls-door.ts";

export interface Tunnel {
  readonly server: ServerSide;
  readonly address: Ip;
  /** Null: the tunnel was asked for by address. */
  readonly host: Hostname | null;
  readonly port: number;
  /** What the client sent with its request. */
  readonly held: readonly Uint8Array[];
}

/** Joins the two sides once it is known what is inside. In a scope that is only watched nothing is held. */
export async function runTunnel(scope: GateScope, client: Socket, tunnel: Tunnel): Promise<void> {
  const { server, host, port, held } = tunnel;
  if (scope.judge().watching) return joinWith(client, server, held);
  if (port === 443) return runTls(scope, client, tunnel);
  if (port === 80 && host !== null) return runHttp(scope, client, tunnel, host);
  // Elsewhere the server may be the one that speaks first, so it is heard while the client is still silent.
  server.flowTo(client);
  const first = await readFirstBytes(client, {
    held,
    silenceMs: SILENCE_WAIT_MS,
    read: (chunk) => {
      const isTls = looksLikeTls(chunk);
      return { isTls: isTls === "more" ? true : isTls, chunk };
    },
  });
  if (first.kind === "read" && first.result.isTls) {
    return runTls(scope, client, { ...tunnel, held: [first.result.chunk, ...held.slice(1)] });
  }
  if (first.kind === "read") server.socket.write(first.result.chunk);
  client.pipe(server.socket);
}

async function runTls(scope: GateScope, client: Socket, tunnel: Tunnel): Promise<void> {
  const { server, address, host, port, held } = tunnel;
  const hello = await readHello(client, held, SILENCE_WAIT_MS);
  if (hello.kind === "closed") return reset(server.socket);
  const decision = hello.kind === "refused" ? hello.decision : judgeInside(scope, tunnel, hello.name);
  if (decision !== null) {
    const named = hello.kind === "hello" ? hello.name : null;
    refuse(
      scope,
      { door: "proxy", host: named ?? host, address: formatIp(address), port, protocol: "tcp" },
      decision,
    );
    reset(server.socket);
    return endAsSpoken(client, hello.kind === "hello" || hello.speaksTls);
  }
  if (hello.kind === "hello") joinWith(client, server, [hello.bytes]);
}

/** Returns why what is inside may not pass, or null. */
function judgeInside(
  scope: GateScope,
  { host, address, port }: Tunnel,
  inside: Hostname | null,
): Decision | null {
  if (host !== null) {
    if (inside === null) return NO_SERVER_NAME;
    return inside === host ? null : ANOTHER_NAME;
  }
  // Allowed by address: a name that is denied elsewhere is denied here too.
  const decision = scope.judge().judgeConnection(inside, address, port, scope.nowMs());
  return passes(decision) ? null : decision;
}

const ANOTHER_NAME = gateDecision(
  "name-mismatch",
  "the TLS inside names another server than the tunnel was asked for",
);

async function runHttp(
  scope: GateScope,
  client: Socket,
  { server, address, port, held }: Tunnel,
  host: Hostname,
): Promise<void> {
  const stream = createRequestStream();
  const first = await readFirstRequest(client, stream, { held, silenceMs: SILENCE_WAIT_MS });
  if (first.kind === "stranger") {
    const asked = { door: "proxy", host, address: formatIp(address), port, protocol: "tcp" } as const;
    refuse(scope, asked, first.decision);
    reset(server.socket);
    return reset(client);
  }
  if (first.kind !== "read") {
    reset(server.socket);
    return void client.destroy();
  }
  passRequests(scope, client, server, { door: "proxy", host, port, stream }, first.result);
}

function joinWith(client: Socket, server: ServerSide, begun: readonly Uint8Array[]): void {
  for (const bytes of begun) server.socket.write(bytes);
  join(client, server);
}
