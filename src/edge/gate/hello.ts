/** What a ClientHello has to be before anything of it is passed on. */
import type { Socket } from "node:net";
import {
  createHelloReader,
  type HelloProblem,
  type HelloRead,
  looksLikeTls,
} from "../../core/tls/client-hello.ts";
import { SEEN_PROTOCOL, seenProtocol } from "../../core/gate/seen-protocol.ts";
import type { Hostname } from "../../core/net/hostname.ts";
import type { Decision } from "../../core/policy/decision.ts";
import { readFirstBytes } from "./first-bytes.ts";
import { gateDecision } from "./scope.ts";

export type HelloResult =
  | {
      readonly kind: "hello";
      readonly name: Hostname | null;
      readonly hasEch: boolean;
      readonly bytes: Buffer;
    }
  /** `speaksTls`: the client would understand an alert. */
  | { readonly kind: "refused"; readonly decision: Decision; readonly speaksTls: boolean }
  | { readonly kind: "closed" };

const PROBLEMS: Readonly<Record<HelloProblem, string>> = {
  "not-tls": "it is not TLS, and on this port the name is read from TLS",
  malformed: "its TLS greeting is malformed",
  "duplicate-name": "its TLS greeting names two servers",
  "invalid-name": "the server name in its TLS greeting is no host name",
  "too-long": "its TLS greeting is longer than any real one",
};

/** Reads the ClientHello of a client, whatever pieces it comes in. Late and unreadable ones are refused. */
export async function readHello(
  client: Socket,
  held: readonly Uint8Array[] = [],
  silenceMs?: number,
): Promise<HelloResult> {
  const reader = createHelloReader();
  const chunks: Buffer[] = [];
  const read = (chunk: Buffer): Exclude<HelloRead, { kind: "more" }> | undefined => {
    chunks.push(chunk);
    const result = reader.push(chunk);
    return result.kind === "more" ? undefined : result;
  };
  const first = await readFirstBytes(client, {
    read,
    held,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
  if (first.kind === "closed") return { kind: "closed" };
  if (first.kind === "late") return refusal(chunks, "its TLS greeting did not come in time");
  const { result } = first;
  if (result.kind === "refused") return refusal(chunks, PROBLEMS[result.problem]);
  return { kind: "hello", name: result.serverName, hasEch: result.hasEch, bytes: Buffer.concat(chunks) };
}

/** What is no TLS at all is named by what it is. */
function refusal(chunks: readonly Buffer[], why: string): HelloResult {
  const begun = Buffer.concat(chunks);
  const speaksTls = looksLikeTls(begun) === true;
  const seen = speaksTls ? null : seenProtocol(begun);
  const decision = seen === null ? gateDecision("bad-request", why) : gateDecision(seen, SEEN_PROTOCOL[seen]);
  return { kind: "refused", decision, speaksTls };
}

export const NO_SERVER_NAME = gateDecision(
  "no-name",
  "its TLS greeting names no server, so it could be any that shares the address",
);

/** An unlisted name with Encrypted Client Hello is most often the provider's; the real one cannot be seen. */
export function withEch(decision: Decision, hasEch: boolean): Decision {
  if (!hasEch || decision.reason !== "default") return decision;
  return {
    ...decision,
    reason: "ech",
    why: "Encrypted Client Hello hides the name behind this one, which is not allowed",
  };
}
