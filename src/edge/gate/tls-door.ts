/** What a scope sends to port 443 of a pinned address: the server name decides. */
import type { Socket } from "node:net";
import { alertRecord, TLS_ALERT } from "../../core/tls/client-hello.ts";
import { formatIp, type Ip } from "../../core/net/ip.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { join, reset } from "./dial.ts";
import { NO_SERVER_NAME, readHello, withEch } from "./hello.ts";
import { openTo } from "./named-dial.ts";
import { type GateScope, passes, refuse } from "./scope.ts";

export interface Destination {
  readonly address: Ip;
  readonly port: number;
}

/** Serves one diverted connection to its end. */
export async function serveTls(
  scope: GateScope,
  client: Socket,
  { address, port }: Destination,
): Promise<void> {
  const hello = await readHello(client);
  if (hello.kind === "closed") {
    client.destroy();
    return;
  }
  const asked = { door: "tls", address: formatIp(address), port, protocol: "tcp" } as const;
  const deny = (host: Parameters<typeof refuse>[1]["host"], decision: Decision): void => {
    refuse(scope, { ...asked, host }, decision);
    endWithAlert(client);
  };
  if (hello.kind === "refused") {
    refuse(scope, { ...asked, host: null }, hello.decision);
    return endAsSpoken(client, hello.speaksTls);
  }
  if (hello.name === null) return deny(null, NO_SERVER_NAME);
  const decision = scope.judge().judgeConnection(hello.name, address, port, scope.nowMs());
  if (!passes(decision)) return deny(hello.name, withEch(decision, hello.hasEch));
  const opened = await openTo(scope, client, { door: "tls", host: hello.name, port }, address);
  if (opened.kind === "refused") return endWithAlert(client);
  if (opened.kind === "failed") return reset(client);
  opened.server.socket.write(hello.bytes);
  join(client, opened.server);
}

/** An alert for who speaks TLS; to everybody else it would be garbage in their own protocol. */
export function endAsSpoken(client: Socket, speaksTls: boolean): void {
  if (speaksTls) endWithAlert(client);
  else reset(client);
}

/** A TLS client shows an alert as what it is; a mere reset would look like a broken network. */
export function endWithAlert(client: Socket): void {
  client.end(alertRecord(TLS_ALERT.accessDenied));
  // What the client still sends must not hold the connection open.
  client.resume();
  setTimeout(() => client.destroy(), LINGER_MS).unref();
}

const LINGER_MS = 1_000;
