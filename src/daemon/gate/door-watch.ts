/** Whether the doors of the gates are open, by the kernel's socket table: who holds each of them. */
import type { DoorPlan } from "../../core/gate/message.ts";
import type { GateTrouble } from "../../core/gate/trouble.ts";
import { gatePorts } from "../../core/policy/gate-port.ts";
import { readAccounts } from "../../edge/host/accounts.ts";
import { holderOf } from "../../edge/host/socket.ts";
import type { OpenSocket, SocketTable } from "../../edge/kernel/socket-table.ts";

/** One socket that a gate has to have. */
interface Door {
  readonly scope: string;
  readonly what: "DNS" | "TLS" | "HTTP" | "proxy";
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

export interface DoorLook {
  readonly plans: readonly DoorPlan[];
  readonly gateUid: number;
  /** Whether a gate says that it has opened them: a door that is merely shut is trouble only then. */
  readonly isServing: boolean;
  /** Whether this machine has an address; a host without IPv6 has no ::1, and nothing comes to it there. */
  readonly hasAddress: (address: string) => boolean;
  /** What the gate said of doors that it could not open, by `DNS on ADDRESS port PORT`. */
  readonly errnos: ReadonlyMap<string, string>;
}

/** `isLost`: nobody has it, and no gate said that it could not open it: it was shut since. */
export interface DoorFound {
  readonly trouble: GateTrouble;
  readonly isLost: boolean;
}

/** Returns a trouble for each door that is not the gate's. */
export function doorTroubles(table: SocketTable, look: DoorLook): DoorFound[] {
  const doors = look.plans.flatMap(doorsOf).filter(({ address }) => look.hasAddress(address));
  if (doors.length === 0) return [];
  const ports = new Set(doors.map(({ port }) => port));
  const sockets: OpenSocket[] = [];
  table.eachWaiting((socket) => {
    if (ports.has(socket.port)) sockets.push(socket);
  });
  const found = doors.flatMap((door) => troubleOf(door, sockets, look) ?? []);
  // DNS over UDP and TCP are one door to people.
  return found.filter(
    ({ trouble }, at) => found.findIndex((one) => one.trouble.said === trouble.said) === at,
  );
}

function doorsOf({ scope, index, addresses, hasProxy }: DoorPlan): Door[] {
  const { dns, tls, http, proxy } = gatePorts(index);
  return addresses.flatMap((address): Door[] => [
    { scope, what: "DNS", protocol: "udp", address, port: dns },
    { scope, what: "DNS", protocol: "tcp", address, port: dns },
    { scope, what: "TLS", protocol: "tcp", address, port: tls },
    { scope, what: "HTTP", protocol: "tcp", address, port: http },
    ...(hasProxy ? [{ scope, what: "proxy", protocol: "tcp", address, port: proxy } as const] : []),
  ]);
}

const EVERYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function troubleOf(door: Door, sockets: readonly OpenSocket[], look: DoorLook): DoorFound | null {
  const { protocol, address, port, what, scope } = door;
  const there = sockets.filter(
    (one) =>
      one.protocol === protocol &&
      one.port === port &&
      (one.address === address || EVERYWHERE.has(one.address)),
  );
  if (there.some((one) => one.address === address && one.uid === look.gateUid)) return null;
  const squatter = there.find(({ uid }) => uid !== look.gateUid);
  const place = `${what} on ${address} port ${port}`;
  const trouble = { kind: "door", scope, stops: what !== "proxy" } as const;
  if (squatter !== undefined) {
    const { name, pid } = whoHolds(squatter);
    const help = `end ${pid === null ? "it" : `process ${pid}`}; the gate takes the port within seconds`;
    const said = `${place} is not the gate's: ${name} holds it`;
    return { trouble: { ...trouble, said, help }, isLost: false };
  }
  if (!look.isServing) return null;
  const errno = look.errnos.get(place);
  if (errno !== undefined) {
    const said = `${place} is shut (${errno})`;
    return { trouble: { ...trouble, said, help: "it is tried again every 2 s" }, isLost: false };
  }
  return { trouble: { ...trouble, said: `${place} is shut`, help: SHUT_HELP }, isLost: true };
}

const SHUT_HELP = "another gate takes the place of this one within seconds";

function whoHolds({ uid, inode }: OpenSocket): { readonly name: string; readonly pid: number | null } {
  const user = readAccounts().nameOf(uid);
  const holder = holderOf(inode);
  const program = holder === null ? "" : `, ${holder.program ?? "a program"}, pid ${holder.pid}`;
  return { name: `uid ${uid}${user === undefined ? "" : ` (${user})`}${program}`, pid: holder?.pid ?? null };
}
