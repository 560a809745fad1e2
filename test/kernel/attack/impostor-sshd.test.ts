// Everybody may call themselves sshd. A panic lets in what the host's own SSH listens on, and nobody else.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../../support/host/host.ts";
import { type Impostor, type ImpostorWanted, startImpostor } from "../../support/host/impostor.ts";
import { restart } from "../../support/host/restart.ts";
import { type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";

const AGENT = 54_321;
const SOMEBODY = 54_322;
const OUTSIDE4 = "45.76.0.99";
const OUTSIDE6 = "2001:db8:99::9";
const OPEN = 4444;
const SCOPES = `scopes: {agent: {user: ${AGENT}}}
outbound: []
accept_risk:
  - {scope: agent, reason: the agent of this test is no more than a uid, by: me, expires: 2099-01-01}
`;
const SERVICE = `version: 1
mode: enforce
inbound:
  - {allow: [ssh, 2222], from: any, why: administration by SSH}
  - {allow: ${OPEN}-${OPEN + 2}, from: any, why: the web service of this server}
${SCOPES}`;
const WATCHED = `version: 1
mode: {inbound: observe, outbound: enforce}
inbound: []
${SCOPES}`;

describe("a panic beside a process that calls itself the SSH server", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  const impostors: Impostor[] = [];
  const impostor = async (wanted: ImpostorWanted) => {
    const started = await startImpostor(host, wanted);
    impostors.push(started);
    return started;
  };
  const knock = (port: number, family: 4 | 6 = 4) =>
    host.upstream.connect(
      family === 4 ? { from: OUTSIDE4, to: HOST4, port } : { from: OUTSIDE6, to: HOST6, port },
    );
  const bootTexts = async () =>
    host.shell("cat /var/lib/seawall/boot/ruleset.nft /var/lib/seawall/boot/fallback.nft");

  before(async () => {
    host = await startHost({ sshd: { ports: [2222] } });
    seawall = seawallOn(host);
  });
  after(() => host.stop());
  afterEach(async () => {
    if ((await seawall.status()).state === "panic") await seawall.ok("panic", "--off");
    for (const one of impostors.splice(0)) await one.stop();
  });

  for (const [what, policy] of [
    ["where the policy opens its port to a service", SERVICE],
    ["where inbound is only watched", WATCHED],
  ] as const) {
    it(`${what}, nobody gets a port by the name, now and after every start`, async () => {
      const own = [AGENT, SOMEBODY, 0].map((uid, at) => ({ uid, port: OPEN + at }));
      for (const one of own) {
        await impostor({ ...one, name: "sshd" });
        const title = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups";
        await impostor({ ...one, name: title, address: "::" });
      }
      await seawall.enforce(policy);
      for (const { port } of own)
        assert.equal(await knock(port), "connected", "it is there before the panic");
      const said = await seawall.run("panic");
      assert.equal(said.code, 0, said.stderr);
      const holds = async () => {
        for (const family of [4, 6] as const) {
          for (const { port } of own) assert.notEqual(await knock(port, family), "connected", String(port));
          assert.equal(await knock(2222, family), "connected");
        }
      };
      await holds();
      assert.doesNotMatch(await bootTexts(), /\b444[456]\b/);
      await restart(host);
      await holds();
    });
  }

  it("has a name like any other, whichever it is", async () => {
    const names = ["sshd-session", "sshd-auth", "dropbear", "tmux: server", "mosh-server", "tailscaled"];
    for (const [at, name] of names.entries()) await impostor({ name, uid: AGENT, port: 4500 + at });
    await seawall.enforce(WATCHED);
    await seawall.ok("panic");
    for (const [at, name] of names.entries()) assert.notEqual(await knock(4500 + at), "connected", name);
  });

  it("on port 22 itself, while sshd is elsewhere, is named and not let in", async () => {
    await host.shell("sysctl -q -w net.ipv4.ip_unprivileged_port_start=0");
    await impostor({ name: "sshd", uid: SOMEBODY, port: 22 });
    await seawall.enforce(SERVICE);
    assert.equal(await knock(22), "connected");
    const said = await seawall.run("panic");
    assert.match(
      said.stderr,
      new RegExp(`uid ${SOMEBODY} listens on 0\\.0\\.0\\.0:22: it is not this host's SSH`),
    );
    assert.notEqual(await knock(22), "connected");
    assert.equal(await knock(2222), "connected");
    assert.match(said.stdout, /port 2222\)/);
  });

  it("on sshd's own port in the family that sshd does not serve is named and not let in", async () => {
    const own = ["-D", "-e", "-f", "/run/ssh/config", "-o", "Port=2200", "-o", "AddressFamily=inet"];
    await seawall.enforce(WATCHED);
    const sshd = host.start(["/usr/sbin/sshd", ...own, "-o", "PidFile=none"]);
    try {
      assert.equal(await eventually(() => knock(2200), "connected", 30_000), "connected");
      await impostor({ name: "sshd", uid: SOMEBODY, port: 2200, address: "::" });
      assert.equal(await knock(2200, 6), "connected");
      const said = await seawall.run("panic");
      assert.match(said.stderr, /\[::\]:2200: it is not this host's SSH and is not let in/);
      assert.notEqual(await knock(2200, 6), "connected");
      assert.equal(await knock(2200), "connected");
      assert.equal(await knock(2222, 6), "connected");
    } finally {
      sshd.kill("SIGKILL");
    }
  });

  it("that shares an address of sshd's port answers nobody when it is the agent", async () => {
    const own = ["-D", "-e", "-f", "/run/ssh/config", "-o", "ListenAddress=127.0.0.1:2201"];
    await seawall.enforce(WATCHED);
    const sshd = host.start([
      "/usr/sbin/sshd",
      ...own,
      "-o",
      `ListenAddress=[${HOST6}]:2201`,
      "-o",
      "PidFile=none",
    ]);
    try {
      assert.equal(await eventually(() => knock(2201, 6), "connected", 30_000), "connected");
      await host.shell(`ip -6 address add 2001:db8:1::11/64 dev eth0 nodad`);
      await impostor({ name: "sshd", uid: AGENT, port: 2201, address: "2001:db8:1::11" });
      const there = () => host.upstream.connect({ from: OUTSIDE6, to: "2001:db8:1::11", port: 2201 });
      assert.equal(await there(), "connected");
      const said = await seawall.run("panic");
      assert.match(said.stderr, /it shares the port with this host's SSH/);
      assert.notEqual(await there(), "connected");
      assert.equal(await knock(2201, 6), "connected");
    } finally {
      sshd.kill("SIGKILL");
    }
  });

  it("among 64 others hides neither sshd nor itself", async () => {
    for (let at = 0; at < 64; at += 1) await impostor({ name: "sshd", uid: AGENT, port: 5000 + at });
    await seawall.enforce(WATCHED);
    await seawall.ok("panic");
    assert.equal(await knock(2222), "connected");
    assert.notEqual(await knock(5063), "connected");
  });
});

describe("a panic beside SSH that is really there", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost({ sshd: { ports: [22, 2022] } });
    seawall = seawallOn(host);
  });
  after(() => host.stop());
  afterEach(async () => {
    if ((await seawall.status()).state === "panic") await seawall.ok("panic", "--off");
  });
  const knock = (port: number) => host.upstream.connect({ from: OUTSIDE4, to: HOST4, port });

  it("lets in both ports of sshd", async () => {
    await seawall.enforce(WATCHED);
    assert.match(await seawall.ok("panic"), /port 22, 2022\)/);
    for (const port of [22, 2022]) assert.equal(await knock(port), "connected");
  });

  it("lets in dropbear", async () => {
    await host.shell("dropbearkey -t ed25519 -f /run/dropbear.key >/dev/null 2>&1");
    const words = ["-F", "-E", "-r", "/run/dropbear.key", "-p", "2300", "-P", "/run/dropbear.pid"];
    const dropbear = host.start(["/usr/sbin/dropbear", ...words]);
    try {
      assert.equal(await eventually(() => knock(2300), "connected", 30_000), "connected");
      await seawall.enforce(WATCHED);
      assert.match(await seawall.ok("panic"), /2300\)/);
      assert.equal(await knock(2300), "connected");
    } finally {
      dropbear.kill("SIGKILL");
    }
  });

  it("lets in an sshd whose file was replaced by an upgrade and that nobody has restarted", async () => {
    await host.shell(`
      mkdir -p /run/sbin/upper /run/sbin/work
      mount -t overlay -o lowerdir=/usr/sbin,upperdir=/run/sbin/upper,workdir=/run/sbin/work overlay /usr/sbin
    `);
    const sshd = host.start([
      "/usr/sbin/sshd",
      "-D",
      "-f",
      "/run/ssh/config",
      "-o",
      "Port=2400",
      "-o",
      "PidFile=none",
    ]);
    try {
      assert.equal(await eventually(() => knock(2400), "connected", 30_000), "connected");
      await host.shell(
        "cp /usr/sbin/sshd /usr/sbin/sshd.dpkg-new; mv /usr/sbin/sshd.dpkg-new /usr/sbin/sshd",
      );
      await seawall.enforce(WATCHED);
      assert.match(await seawall.ok("panic"), /\b2400\)/);
      assert.equal(await knock(2400), "connected");
    } finally {
      sshd.kill("SIGKILL");
      await host.shell("umount -l /usr/sbin");
    }
  });

  for (const [what, wrap] of [
    [
      "a container in the host's network, with a file system and processes of its own",
      ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--root", "/run/container"],
    ],
    ["a container in the host's network that shares its processes", ["chroot", "/run/container"]],
    [
      "a cgroup of a container, with everything else the host's",
      ["sh", "-c", `mkdir -p "$1" && echo $$ >"$1/cgroup.procs" && shift && exec "$@"`, "sh", "CGROUP"],
    ],
  ] as const) {
    it(`does not let in an sshd of root's in ${what}`, async () => {
      const cgroup = `${(await host.shell(CGROUP2)).trim()}/docker/${"c0ffee00".repeat(8)}`;
      await host.shell(CONTAINER);
      const words = wrap.map((word) => (word === "CGROUP" ? cgroup : word));
      const sshd = [
        "/usr/sbin/sshd",
        "-D",
        "-e",
        "-f",
        "/run/ssh/config",
        "-o",
        "Port=2500",
        "-o",
        "PidFile=none",
      ];
      const started = host.start([...words, ...sshd]);
      let heard = "";
      started.stderr?.setEncoding("utf8").on("data", (text: string) => (heard += text));
      try {
        assert.equal(await eventually(() => knock(2500), "connected", 30_000), "connected", heard);
        await seawall.enforce(WATCHED);
        const said = await seawall.run("panic");
        assert.notEqual(await knock(2500), "connected", said.stdout);
        assert.equal(await knock(22), "connected");
      } finally {
        started.kill("SIGKILL");
        const gone = async () => (await host.run(["sh", "-c", "ss -Hltn sport = :2500 | grep ."])).code;
        assert.equal(await eventually(gone, 1, 30_000), 1);
        await host.run(["sh", "-c", `rmdir ${cgroup} ${cgroup}/.. 2>/dev/null`]);
      }
    });
  }
});

const CGROUP2 = "awk '$3 == \"cgroup2\" { print $2; exit }' /proc/mounts";
const CONTAINER = `
[ -d /run/container ] && exit 0
mkdir -p /run/container /run/layer/upper /run/layer/work
mount -t overlay -o lowerdir=/,upperdir=/run/layer/upper,workdir=/run/layer/work overlay /run/container
for one in dev etc run; do mount --bind /$one /run/container/$one; done
mount -t proc proc /run/container/proc
`;
