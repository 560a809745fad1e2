// `seawall prove` for agents that are judged by where they are: a cgroup, a network namespace.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { cgroupMount } from "../../src/edge/host/scope-cgroup.ts";
import { type Reaper, startReaper } from "../support/host/reaper.ts";
import { startWorld, type World } from "./gate/world.ts";
import {
  all,
  CORPUS_ADDRESSES,
  METADATA,
  type Proven,
  readProof,
  serveSocket,
  statuses,
  WAYS,
} from "./prove-rows.ts";

const policy = (mode: "observe" | "enforce", target: string): string => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {${target}}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
accept_risk:
  - {scope: agent, reason: this test wants it, by: me, expires: 2099-01-01}
`;

const SENT = [...WAYS.out, ...WAYS.names, ...WAYS.named, ...WAYS.ports];
const BUS = "/run/user/4242/bus";

const open = async (): Promise<World> => {
  const world = await startWorld();
  for (const address of CORPUS_ADDRESSES) await world.host.upstream.own(address);
  return world;
};
const prove = async (world: World, mode: "observe" | "enforce", target: string): Promise<Proven> => {
  await world.seawall.enforce(policy(mode, target));
  return readProof(await world.seawall.run("prove", "--json"));
};

describe("an agent in a cgroup of this machine", () => {
  const name = `seawall-test-${process.pid}`;
  const base = `${cgroupMount().directory}/${name}`;
  const target = `cgroup: ${name}/agent`;
  const here = ["loopback-ipv4", "loopback-ipv6", "other-user", ...WAYS.doors, "cgroup-move"];
  let world: World;
  let reaper: Reaper;
  before(async () => {
    reaper = startReaper(name);
    for (const folder of [base, `${base}/agent`, `${base}/free`]) mkdirSync(folder);
    world = await open();
    const user = "setpriv --reuid 4242 --regid 4242 --clear-groups";
    const run = `echo $$ >${base}/agent/cgroup.procs && echo in && exec ${user} sleep 1000`;
    const resident = world.host.start(["sh", "-c", run]);
    await new Promise((resolve) => resident.stdout?.once("data", resolve));
  });
  after(async () => {
    await world.stop();
    await reaper.finish();
  });

  it("comes through everywhere while it is only watched, also to what is on this host", async () => {
    const proven = await prove(world, "observe", target);
    assert.deepEqual(statuses(proven, [...SENT, ...here]), all([...SENT, ...here], "not-held"));
    assert.deepEqual(statuses(proven, METADATA), all(METADATA, "held"));
  });

  it("is held by its cgroup, and cannot leave it", async () => {
    const proven = await prove(world, "enforce", target);
    const every = [...SENT, ...METADATA, ...here, "sudo"];
    assert.deepEqual(statuses(proven, every), all(every, "held"));
    assert.equal(proven.row("user-manager").status, "not-possible");
    assert.deepEqual(proven.ids("not-held"), ["fronting"]);
    assert.equal(proven.code, 0);
  });

  it("leaves nothing in its cgroup", async () => {
    assert.equal((await world.host.shell(`find ${base} -name 'seawall-prove-*'`)).trim(), "");
  });

  it("is not held where a systemd manager of its own starts processes, or another cgroup takes them", async () => {
    await serveSocket(world.host, BUS, "666");
    await world.host.shell(`chown 4242 ${base}/cgroup.procs ${base}/free ${base}/free/cgroup.procs`);
    const proven = await prove(world, "enforce", target);
    assert.deepEqual([...proven.ids("not-held")].sort(), ["cgroup-move", "fronting", "user-manager"]);
    assert.match(proven.row("cgroup-move").evidence, new RegExp(`it went to .*${name}/free; connected`));
    assert.match(proven.row("user-manager").evidence, /bus starts processes for it, and outside the scope/);
    assert.equal(proven.code, 1);
  });
});

describe("an agent in a network namespace", () => {
  const target = "netns: box";
  const unshared = ["loopback-ipv4", "loopback-ipv6", "other-user", "nul-name"];
  /** Of this host, at the address that leads to it. */
  const near = WAYS.doors;
  let world: World;
  before(async () => {
    world = await open();
    await world.host.shell(`
      sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
      ip netns add box
      ip link add v-box type veth peer name e0 netns box
      ip addr add 10.9.1.1/24 dev v-box
      ip -6 addr add fd09:1::1/64 dev v-box nodad
      ip link set v-box up
      ip -n box link set lo up
      ip -n box link set e0 up
      ip -n box addr add 10.9.1.2/24 dev e0
      ip -n box -6 addr add fd09:1::2/64 dev e0 nodad
      ip -n box route add default via 10.9.1.1
      ip -n box -6 route add default via fd09:1::1
      ip -n upstream route add 10.9.1.0/24 via 203.0.113.10
      ip -n upstream -6 route add fd09:1::/64 via 2001:db8:1::10
    `);
    const user = ["setpriv", "--reuid", "4242", "--regid", "4242", "--clear-groups"];
    world.host.start(["nsenter", "--net=/run/netns/box", ...user, "sleep", "1000"]);
  });
  after(() => world.stop());

  it("comes through everywhere while it is only watched", async () => {
    const proven = await prove(world, "observe", target);
    assert.deepEqual(statuses(proven, [...SENT, ...near]), all([...SENT, ...near], "not-held"));
    assert.deepEqual(statuses(proven, METADATA), all(METADATA, "held"));
  });

  it("is held by its interface, and its own loopback is its own", async () => {
    const proven = await prove(world, "enforce", target);
    const every = [...SENT, ...METADATA, ...near, "dashboard", "sudo"];
    assert.deepEqual(statuses(proven, every), all(every, "held"));
    assert.deepEqual(statuses(proven, unshared), all(unshared, "not-possible"));
    assert.deepEqual(proven.ids("not-held"), ["fronting"]);
  });

  it("is not held where this machine starts processes for the same user outside", async () => {
    await serveSocket(world.host, BUS, "666");
    const proven = await prove(world, "enforce", target);
    assert.deepEqual([...proven.ids("not-held")].sort(), ["fronting", "user-manager"]);
    assert.equal(proven.code, 1);
  });
});
