// `seawall prove` from inside a Docker network: a container's place, made for the proof and gone afterwards.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { SEAWALL, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";
import { type Internet, startInternet } from "./gate/internet.ts";
import { all, CORPUS_ADDRESSES, METADATA, type Proven, readProof, statuses, WAYS } from "./prove-rows.ts";

const policy = (mode: "observe" | "enforce"): string => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {docker: bridge}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
accept_risk:
  - {scope: agent, reason: this test wants it, by: me, expires: 2099-01-01}
`;

const EVERY_WAY = Object.values(WAYS).flat();
const GUARDED = [...METADATA, "dashboard"];

let host: Host;
let seawall: SeawallOnHost;
let internet: Internet;
before(async () => {
  host = await startHost({ docker: { containers: [{ name: "box", publish: [] }], ipv6: true } });
  seawall = seawallOn(host);
  internet = await startInternet(host);
  for (const address of CORPUS_ADDRESSES) await host.upstream.own(address);
  await host.shell(`
    echo 'nameserver 203.0.113.1' >/etc/resolv.conf
    sysctl -qw net.ipv6.conf.all.forwarding=1
    ip -n upstream route replace 172.17.0.0/16 via 203.0.113.10
    ip -n upstream -6 route replace 2001:db8:d0c::/64 via 2001:db8:1::10
  `);
  await startDaemon(host);
});
after(() => host.stop());

const prove = async (mode: "observe" | "enforce"): Promise<Proven> => {
  await seawall.enforce(policy(mode));
  return readProof(await seawall.run("prove", "--json"));
};

describe("an agent in a container", () => {
  it("comes through everywhere while it is only watched", async () => {
    const proven = await prove("observe");
    assert.deepEqual(statuses(proven, EVERY_WAY), all(EVERY_WAY, "not-held"));
    assert.deepEqual(statuses(proven, GUARDED), all(GUARDED, "held"));
  });

  it("is held at its bridge, and not one packet leaves", async () => {
    const watched = await internet.during(() => prove("enforce"));
    const proven = watched.value;
    const every = [...EVERY_WAY, ...GUARDED, "runtime-socket"];
    assert.deepEqual(statuses(proven, every), all(every, "held"));
    assert.deepEqual(proven.ids("not-held"), ["fronting"]);
    assert.equal(proven.code, 0);
    for (const address of CORPUS_ADDRESSES) assert.equal(watched.packets(address), 0, address);
  });

  it("has files and users of its own, so rows about those cannot be tried", async () => {
    const proven = await prove("enforce");
    for (const id of ["sudo", "cron", "cgroup-move", "subuid", "resolved-dbus"])
      assert.match(proven.row(id).evidence, /a container has files/, id);
  });

  it("leaves no interface and no process behind", async () => {
    assert.equal((await host.shell("ip -o link | grep -c ' sw-p' || true")).trim(), "0");
    assert.equal((await host.shell("pgrep -fc 'slee[p] 60' || true")).trim(), "0");
  });

  it("leaves nothing behind when it is killed either", async () => {
    const killed = host.start([...SEAWALL, "prove"]);
    const links = async (): Promise<string> =>
      (await host.shell("ip -o link | grep -c ' sw-p' || true")).trim();
    assert.equal(await eventually(links, "1"), "1", "it was over before it was killed");
    await host.shell("pkill -KILL -f '[m]ain.ts prove'");
    killed.kill("SIGKILL");
    assert.equal(await eventually(links, "0"), "0");
    const left = async (): Promise<string> =>
      (await host.shell("pgrep -fc 'prove/[a]ttempt' || true")).trim();
    assert.equal(await eventually(left, "0"), "0");
  });

  it("is not held where the socket of dockerd is mounted into a container", async () => {
    const socket = "/run/docker.sock:/run/docker.sock";
    await host.shell(`docker run -d --name leak -v ${socket} tiny /bin/busybox sleep 1000`);
    const proven = await prove("enforce");
    assert.deepEqual(proven.ids("not-held"), ["fronting", "runtime-socket"]);
    assert.match(proven.row("runtime-socket").evidence, /leak: .*docker\.sock/);
    assert.equal(proven.code, 1);
  });
});
