/**
 * Sends packets of the agent's user that name a first hop which is allowed and a last one which is not, first
 * without Seawall and then with it. Prints as JSON how many of them passed the output hook each time.
 */
import koffi from "koffi";
import { compileNftables } from "../../../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../../../src/core/compile/nftables/render.ts";
import { policyOf } from "../../../support/policy.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_RAW,
  SOCK_NONBLOCK,
  SOCK_RAW,
  sendTo,
  socketAs,
  throwErrno,
} from "../../../support/wire/libc.ts";
import { nftLoad, nftOutput } from "../../../support/wire/nft.ts";
import { buildWorld } from "../../../support/wire/world.ts";
import { address, extended, packet, udp, withOptions } from "./craft.ts";
import { FIRST4, FIRST6, ROUTES, type Route } from "./source-routes.ts";

export interface RoutePassed {
  readonly name: string;
  readonly without: number;
  readonly with: number;
}

const AGENT_UID = 4242;
const LAST4 = "93.184.216.34";
const LAST6 = "2606:2800::1";
const WITNESS = `table inet witness {
  counter routed { }
  counter plain { }
  chain output {
    type filter hook output priority 100;
    ip option lsrr exists counter name routed return
    ip option ssrr exists counter name routed return
    exthdr rt exists counter name routed return
    meta skuid ${AGENT_UID} counter name plain
  }
}
`;
const ROUTING_HEADER = 43;
const SOCK_DGRAM = 2;
const IPPROTO_UDP = 17;
const IP_OPTIONS = 4;

type SetOption = (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
const setOption: SetOption = koffi
  .load(null)
  .func("setsockopt", "int", ["int", "int", "int", "const void *", "uint32_t"]);

const policy = process.argv[2];
if (policy === undefined) throw new Error("the policy is the first argument");
buildWorld();
nftLoad(WITNESS);
const compiled = compileNftables(policyOf(policy), {
  generation: 1,
  accounts: { uidOf: () => AGENT_UID, subuidsOf: () => [] },
});
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics));

const without = ROUTES.map((route, at) => count(route, 21_000 + at));
nftLoad(renderRuleset(compiled.ruleset, []));
const passed: RoutePassed[] = ROUTES.map((route, at) => ({
  name: route.name,
  without: without[at] ?? 0,
  with: count(route, 22_000 + at),
}));
process.stdout.write(`${JSON.stringify(passed)}\n`);

function count(route: Route, from: number): number {
  nftOutput(["reset", "counters", "table", "inet", "witness"]);
  if (route.by === "socket") sendBySocket(route);
  else sendRaw(route, from);
  if (route.afterAdmitted && packetsOf("plain") === 0) throw new Error("the first hop is not allowed");
  return packetsOf("routed");
}

function packetsOf(counter: string): number {
  const listed = nftOutput(["list", "counter", "inet", "witness", counter]);
  return Number(/packets (\d+)/.exec(listed)?.[1]);
}

/** The way that needs no capability: the kernel takes the first hop from the option (ip(7), IP_OPTIONS). */
function sendBySocket({ option, afterAdmitted }: Route): void {
  const fd = socketAs(AGENT_UID, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
  if (afterAdmitted) sendBytes(fd, Buffer.from("plain"), FIRST4, 9000);
  const bytes = Buffer.concat([Buffer.from([option, 7, 4]), address(FIRST4), Buffer.from([0])]);
  if (setOption(fd, 0, IP_OPTIONS, bytes, bytes.length) < 0) throwErrno("setsockopt IP_OPTIONS");
  sendBytes(fd, Buffer.from("routed"), LAST4, 9000);
}

function sendRaw({ option, by, afterAdmitted }: Route, from: number): void {
  const isV4 = by === "raw4";
  const ends = isV4 ? { from: "203.0.113.10", to: FIRST4 } : { from: "2001:db8:113::10", to: FIRST6 };
  const fd = socketAs(AGENT_UID, isV4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
  const datagram = udp(from, 9000);
  if (afterAdmitted) sendBytes(fd, packet(ends, datagram), ends.to, 0);
  const routed = isV4
    ? withOptions(
        ends,
        Buffer.concat([Buffer.from([option, 7, 4]), address(LAST4), Buffer.from([0])]),
        datagram,
      )
    : extended(
        ends,
        [[ROUTING_HEADER, Buffer.concat([Buffer.from([option, 1, 0, 0, 0, 0]), address(LAST6)])]],
        datagram,
      );
  sendBytes(fd, routed, ends.to, 0);
}

/** Errors are what a refused packet looks like to its sender; the witness says what happened. */
function sendBytes(fd: number, bytes: Uint8Array, to: string, port: number): void {
  const isV4 = !to.includes(":");
  const peer = Buffer.alloc(isV4 ? 16 : 28);
  peer.writeUInt16LE(isV4 ? AF_INET : AF_INET6, 0);
  peer.writeUInt16BE(port, 2);
  peer.set(address(to), isV4 ? 4 : 8);
  sendTo(fd, bytes, bytes.length, 0, peer, peer.length);
}
