/**
 * Tries the ways out that a process of the agent's uid has without any capability, first without Seawall and
 * then with it, and prints as JSON how many of its packets passed the output hook each time.
 */
import { writeFileSync } from "node:fs";
import koffi from "koffi";
import { compileNftables } from "../../../../src/core/compile/nftables/compile.ts";
import { renderRuleset } from "../../../../src/core/compile/nftables/render.ts";
import { policyOf } from "../../../support/policy.ts";
import {
  AF_INET,
  AF_INET6,
  SOCK_NONBLOCK,
  sendTo,
  socketAs,
  throwErrno,
} from "../../../support/wire/libc.ts";
import { nftLoad, nftOutput } from "../../../support/wire/nft.ts";
import { buildWorld } from "../../../support/wire/world.ts";
import { address } from "./craft.ts";
import { AGENT_UID, type Escape, ESCAPES, SUBUID } from "./escape.ts";

export interface Passed {
  readonly name: string;
  readonly without: number;
  readonly with: number;
}

const WITNESS = `table inet witness {
  counter left { }
  chain output { type filter hook output priority 100; meta skuid { ${AGENT_UID}, ${SUBUID} } counter name left; }
}
`;
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const ONE = Buffer.from([1, 0, 0, 0]);

const libc = koffi.load(null);
type Call = (fd: number, bytes: Uint8Array, length: number) => number;
const connect: Call = libc.func("connect", "int", ["int", "const void *", "uint32_t"]);
const bind: Call = libc.func("bind", "int", ["int", "const void *", "uint32_t"]);
const close: (fd: number) => number = libc.func("close", "int", ["int"]);
type SetOption = (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
const setOption: SetOption = libc.func("setsockopt", "int", [
  "int",
  "int",
  "int",
  "const void *",
  "uint32_t",
]);

buildWorld();
writeFileSync("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
writeFileSync("/proc/sys/net/ipv4/tcp_fastopen", "1");
nftLoad(WITNESS);
const policy = process.argv[2];
if (policy === undefined) throw new Error("the policy is the first argument");
const compiled = compileNftables(policyOf(policy), {
  generation: 1,
  accounts: { uidOf: () => AGENT_UID, subuidsOf: () => [{ first: SUBUID, last: SUBUID + 65_535 }] },
});
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics));

const without = ESCAPES.map(count);
nftLoad(renderRuleset(compiled.ruleset, []));
const passed: Passed[] = ESCAPES.map((escape, index) => ({
  name: escape.name,
  without: without[index] ?? 0,
  with: count(escape),
}));
process.stdout.write(`${JSON.stringify(passed)}\n`);

function count(escape: Escape): number {
  nftOutput(["reset", "counter", "inet", "witness", "left"]);
  send(escape);
  const listed = nftOutput(["list", "counter", "inet", "witness", "left"]);
  return Number(/packets (\d+)/.exec(listed)?.[1] ?? 0);
}

/** Errors are what a refused packet looks like to its sender; the witness says what happened. */
function send({ to, port, type, protocol, uid, flags, from, family }: Escape): void {
  const domain = family ?? (to.includes(":") ? AF_INET6 : AF_INET);
  const fd = socketAs(uid ?? AGENT_UID, domain, type | SOCK_NONBLOCK, protocol);
  setOption(fd, SOL_SOCKET, SO_BROADCAST, ONE, ONE.length);
  if (from !== undefined) {
    const own = socketAddress(domain, from, 0);
    if (bind(fd, own, own.length) < 0) throwErrno(`bind to ${from}`);
  }
  const peer = socketAddress(domain, to, port);
  const isPing = protocol === 1 || protocol === 58;
  const bytes = isPing
    ? Buffer.from([protocol === 1 ? 8 : 128, 0, 0, 0, 0, 1, 0, 1])
    : Buffer.from("out of here");
  if (type === 1 && flags === undefined) connect(fd, peer, peer.length);
  else sendTo(fd, bytes, bytes.length, flags ?? 0, peer, peer.length);
  close(fd);
}

function socketAddress(domain: number, text: string, port: number): Buffer {
  const isV4 = domain === AF_INET;
  const bytes = Buffer.alloc(isV4 ? 16 : 28);
  bytes.writeUInt16LE(domain, 0);
  bytes.writeUInt16BE(port, 2);
  if (isV4) bytes.set(address(text), 4);
  else if (text.includes(":")) bytes.set(address(text), 8);
  else bytes.set([0xff, 0xff, ...address(text)], 18); // ::ffff:a.b.c.d
  return bytes;
}
