/** Which ports of this machine an attempt was made from: by them the log tells it from the agent's own. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Socket } from "node:net";

const noted = new AsyncLocalStorage<Set<number>>();

/** Runs one attempt and returns its result with the ports that it used. */
export async function withPorts<Value>(
  attempt: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly ports: readonly number[] }> {
  const ports = new Set<number>();
  const value = await noted.run(ports, attempt);
  return { value, ports: [...ports] };
}

export function notePort(port: number | undefined): void {
  if (port !== undefined && port > 0) noted.getStore()?.add(port);
}

/** Notes the port of a connection as soon as it has one, which is before any answer of the other side. */
export function noteConnecting(socket: Socket): void {
  const ports = noted.getStore();
  process.nextTick(() => {
    const { localPort } = socket;
    if (localPort !== undefined && localPort > 0) ports?.add(localPort);
  });
}
