/** Whether OpenClaw can be told to go out by our explicit proxy. */
import type { Endpoint } from "../openclaw/endpoint.ts";
import { shownEndpoint } from "./destination.ts";
import type { Instance, Listener } from "./facts.ts";

export const PROXY_PORT = 18_901;
export const PROXY_URL = `http://127.0.0.1:${PROXY_PORT}`;

export type ProxyPlan =
  | { readonly kind: "set" }
  | { readonly kind: "set-already" }
  /** Nothing is changed; `why` ends a sentence. */
  | { readonly kind: "left"; readonly why: string };

/**
 * Returns what `init --proxy` does to an instance. A proxy of somebody else is not replaced, and one that
 * nobody answers at would cut the agent off.
 */
export function planProxy(instance: Instance, listeners: readonly Listener[]): ProxyPlan {
  const { needs, container } = instance;
  if (needs === null) return { kind: "left", why: "its configuration cannot be read" };
  if (isOurs(needs.proxy)) return { kind: "set-already" };
  if (needs.proxy !== null)
    return { kind: "left", why: `it goes out by a proxy of yours, ${shownEndpoint(needs.proxy)}` };
  if (container !== null && !container.isHostNetwork) {
    return {
      kind: "left",
      why: "127.0.0.1 is the container's own: set proxy.proxyUrl to the gate's address there",
    };
  }
  const answers = listeners.some(({ protocol, port }) => protocol === "tcp" && port === PROXY_PORT);
  return answers
    ? { kind: "set" }
    : {
        kind: "left",
        why: `nothing listens on 127.0.0.1:${PROXY_PORT} yet, and without it the agent would reach nothing`,
      };
}

function isOurs(proxy: Endpoint | null): boolean {
  return proxy !== null && proxy.kind === "loopback" && proxy.port === PROXY_PORT;
}
