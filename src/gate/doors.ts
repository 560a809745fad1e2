/** The doors that a plan asks for: opened when they appear, closed when they are gone, never twice. */
import type { Socket } from "node:net";
import type { DoorPlan } from "../core/gate/message.ts";
import { gatePorts } from "../core/policy/gate-port.ts";
import { openDns } from "../edge/gate/dns-door.ts";
import { reset } from "../edge/gate/dial.ts";
import type { Gate } from "../edge/gate/gate.ts";
import { serveHttp } from "../edge/gate/http-door.ts";
import { serveProxy } from "../edge/gate/proxy-door.ts";
import type { GateScope } from "../edge/gate/scope.ts";
import { type Listening, openTcp } from "../edge/gate/tcp-door.ts";
import { type Destination, serveTls } from "../edge/gate/tls-door.ts";
import { isOwnDoor, originalDestination } from "../edge/kernel/socket-option.ts";

export interface Doors {
  /** Makes what is open what the plan says. Returns what could not be opened, and why. */
  readonly follow: (plan: readonly DoorPlan[]) => Promise<string[]>;
}

/** Returns doors that are all closed. */
export function createDoors(gate: Gate): Doors {
  const open = new Map<string, Listening>();
  return {
    follow: async (plan) => {
      const wanted = new Map(plan.flatMap((one) => doorsOf(gate, one)));
      for (const [key, door] of open) {
        if (wanted.has(key)) continue;
        door.close();
        open.delete(key);
      }
      const trouble: string[] = [];
      for (const [key, start] of wanted) {
        if (open.has(key)) continue;
        try {
          open.set(key, await start());
        } catch (cause) {
          const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
          // A host without IPv6 has no ::1, and nothing comes to it there.
          if (!(code === "EADDRNOTAVAIL" && key.includes("::1 "))) trouble.push(`${key}: ${code}`);
        }
      }
      return trouble;
    },
  };
}

function doorsOf(
  gate: Gate,
  { scope: name, index, addresses, hasProxy }: DoorPlan,
): [string, () => Promise<Listening>][] {
  const scope = gate.scope(name);
  const ports = gatePorts(index);
  return addresses.flatMap((address): [string, () => Promise<Listening>][] => {
    const at = (port: number) => ({ address, port });
    const doors: [string, () => Promise<Listening>][] = [
      [`DNS on ${address} port ${ports.dns}`, () => openDns(scope, at(ports.dns))],
      [
        `TLS on ${address} port ${ports.tls}`,
        () => openTcp(scope, "tls", at(ports.tls), diverted(scope, serveTls)),
      ],
      [
        `HTTP on ${address} port ${ports.http}`,
        () => openTcp(scope, "http", at(ports.http), diverted(scope, serveHttp)),
      ],
    ];
    if (!hasProxy) return doors;
    const serve = (client: Socket): Promise<void> => serveProxy(scope, client);
    return [
      ...doors,
      [`proxy on ${address} port ${ports.proxy}`, () => openTcp(scope, "proxy", at(ports.proxy), serve)],
    ];
  });
}

/** Serves what the kernel diverted; who connects to the door itself has nothing to ask for. */
function diverted(
  scope: GateScope,
  serve: (scope: GateScope, client: Socket, destination: Destination) => Promise<void>,
): (client: Socket) => Promise<void> {
  return (client) => {
    const destination = originalDestination(client);
    if (destination !== null && !isOwnDoor(destination, client)) return serve(scope, client, destination);
    reset(client);
    return Promise.resolve();
  };
}
