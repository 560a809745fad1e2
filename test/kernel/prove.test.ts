// Every known way around a policy, tried by `seawall prove` from the agent's uid: open while it is only watched (so
// the attempt works), shut when it is enforced, and told apart where the machine or the policy leaves it open.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CORPUS_ADDRESSES, METADATA, type Proven, readProof, serveSocket, WAYS } from "./prove-rows.ts";
import { startWorld, type World } from "./gate/world.ts";

const policy = (mode: "observe" | "enforce", more = ""): string => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: [good.example.com, "*.example.org"], port: [80, 443], why: a rule of this test}
${more}`;

/** Tried on the wire or on this host: open for whoever is not held. */
const BY_KERNEL = [
  ...WAYS.out,
  ...WAYS.ports,
  ...WAYS.doors,
  "loopback-ipv4",
  "loopback-ipv6",
  "other-user",
  "subuid",
  "user-manager",
  "ssh-localhost",
  "cgroup-move",
];
const BY_GATE = [...WAYS.names, "txt-wildcard"];
/** While it is only watched, no connection goes through the gate, so all of them come through. */
const BY_NAME = WAYS.named;
/** Held whether or not outbound is enforced: guards, the account, what the proxy cannot read. */
const ALWAYS = [...METADATA, "nul-name", "dashboard", "sudo", "runtime-socket", "nscd"];
/** What this machine does not have: at and cron are not installed, and neither resolved nor avahi runs. */
const ABSENT = ["at", "cron", "resolved-dbus", "resolved-varlink", "avahi"];

let world: World;
before(async () => {
  world = await startWorld();
  for (const address of CORPUS_ADDRESSES) await world.host.upstream.own(address);
  // sudo looks an account up in shadow(5).
  await world.host.shell("echo 'openclaw:*:19000:0:99999:7:::' >>/etc/shadow");
  // Somebody to reach: sshd's port, a manager of the agent's own, sockets that are not for it.
  world.host.start([
    process.execPath,
    "-e",
    'require("node:net").createServer((one) => one.end()).listen(22, "127.0.0.1")',
  ]);
  await serveSocket(world.host, "/run/user/4242/bus", "666");
  await serveSocket(world.host, "/run/docker.sock", "600");
  await serveSocket(world.host, "/run/libvirt/virtqemud-sock", "600");
  await serveSocket(world.host, "/run/nscd/socket", "600");
});
after(() => world.stop());

const sorted = (ids: readonly string[]): readonly string[] => [...ids].sort();
const prove = async (...args: readonly string[]): Promise<Proven> =>
  readProof(await world.seawall.run("prove", "--json", ...args));

describe("without a policy in force", () => {
  it("nothing is proven, and the error says what helps", async () => {
    const { code, stdout, stderr } = await world.seawall.run("prove", "--json");
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /no policy is in force.*\n[^]*try: seawall apply FILE/);
  });
});

describe("while outbound is only watched", () => {
  let proven: Proven;
  before(async () => {
    await world.seawall.enforce(policy("observe"));
    proven = await prove();
  });

  it("every attempt comes through, so each of them works", () => {
    const open = [...BY_KERNEL, ...BY_GATE, ...BY_NAME, "fronting"];
    assert.deepEqual(sorted(proven.ids("not-held")), sorted(open));
  });

  it("guards hold, and so does what no rule of outbound is about", () => {
    assert.deepEqual(sorted(proven.ids("held")), sorted(ALWAYS));
  });

  it("it is said what enforce would do, and nothing that was promised is broken", () => {
    for (const id of BY_KERNEL) {
      const { would, cure, promised } = proven.row(id);
      assert.deepEqual(
        { would, cure, promised },
        { would: "refuse (default)", cure: "mode: {outbound: enforce}", promised: false },
        id,
      );
    }
    assert.equal(proven.code, 0);
    assert.equal(proven.proof.mode, "observe");
  });
});

describe("while outbound is only watched and the guards are lifted", () => {
  it("what they held comes through, so those attempts work too", async () => {
    const accept = (guard: string): string =>
      `  - {guard: ${guard}, reason: this test wants it, by: me, expires: 2099-01-01}\n`;
    await world.seawall.enforce(
      policy("observe", `accept_risk:\n${accept("metadata")}${accept("link-local")}${accept("control")}`),
    );
    const proven = await prove();
    for (const id of ["metadata-ipv4", "metadata-ipv6", "dashboard"])
      assert.match(proven.row(id).evidence, /^connected in .*: only watched$/, id);
  });
});

describe("while outbound is enforced", () => {
  let proven: Proven;
  let asked: readonly string[];
  let reached: number;
  before(async () => {
    await world.seawall.enforce(policy("enforce"));
    const watched = await world.during(() => prove());
    proven = watched.value;
    asked = watched.asked;
    reached = CORPUS_ADDRESSES.concat("8.8.8.8", "2001:4860:4860::8888").reduce(
      (sum, address) => sum + watched.packets(address),
      0,
    );
  });

  it("every way is held but the one that is a known limit", () => {
    assert.deepEqual(sorted(proven.ids("held")), sorted([...BY_KERNEL, ...BY_GATE, ...BY_NAME, ...ALWAYS]));
    assert.deepEqual(proven.ids("not-held"), ["fronting"]);
    assert.deepEqual(sorted(proven.ids("not-possible")), sorted(ABSENT));
    assert.equal(proven.code, 0);
  });

  it("the known limit says what would hold it", () => {
    const { limit, cure, promised } = proven.row("fronting");
    assert.deepEqual({ limit, cure, promised }, { limit: true, cure: "TLS inspection", promised: false });
  });

  it("not one packet of it left this host, and no question went to any resolver", () => {
    assert.equal(reached, 0);
    assert.deepEqual(
      asked.filter((one) => one.includes("seawall-prove")),
      [],
    );
  });

  for (const [id, evidence] of [
    ["raw-ipv4", /^ECONNREFUSED in \d+ ms; kernel: default sw-/],
    ["quic-ipv6", /^port unreachable in \d+ ms; kernel: default sw-/],
    ["metadata-ipv4", /kernel: guard\.metadata/],
    ["dashboard", /kernel: guard\.control/],
    ["dns-tcp", /^NXDOMAIN in \d+ ms; gate: sw-\S+ default/],
    ["sni-mismatch", /gate: default sw-/],
    ["no-sni", /gate: no-name sw-/],
    ["nul-name", /^400 bad-request/],
    ["trailing-dot", /^403 default sw-/],
    ["docker.sock", /^\/run\/docker\.sock: EACCES, \/run\/libvirt\/virtqemud-sock: EACCES$/],
    ["user-manager", /bus starts processes for it, with its uid: ECONNREFUSED/],
    ["cgroup-move", /^no cgroup took it; ECONNREFUSED/],
    ["after-exit", /^0 of 4 arrived/],
  ] as const) {
    it(`the evidence of ${id} is what came back, and from whom`, () => {
      assert.match(proven.row(id === "docker.sock" ? "runtime-socket" : id).evidence, evidence);
    });
  }

  it("a person sees the same on one screen", async () => {
    const { code, stdout } = await world.seawall.run("prove", "--scope", "agent", "--verbose");
    assert.equal(code, 0);
    assert.match(stdout, /^HELD {2,}TCP straight to an IPv4 address/m);
    assert.match(
      stdout,
      /^NOT HELD {2,}a listed server name outside.*\n.*known limit.*\n +held by: TLS inspection$/m,
    );
    assert.match(stdout, /^not possible here {2}a process that cron starts$/m);
  });

  it("a scope that the policy has not is refused", async () => {
    const { code, stderr } = await world.seawall.run("prove", "--scope", "nobody");
    assert.equal(code, 3);
    assert.match(stderr, /no scope `nobody`/);
  });

  it("nothing of it is left running", async () => {
    assert.equal((await world.host.shell("pgrep -fc '[p]rove/attempt' || true")).trim(), "0");
  });
});

describe("while what is refused is dropped in silence", () => {
  let proven: Proven;
  before(async () => {
    await world.seawall.enforce(policy("enforce", "defaults: {outbound: drop}\n"));
    proven = await prove();
  });

  it("silence is held, because the log has who was silent", () => {
    const every = [...BY_KERNEL, ...BY_GATE, ...BY_NAME, ...ALWAYS];
    assert.deepEqual(sorted(proven.ids("held")), sorted(every));
    assert.match(proven.row("raw-ipv4").evidence, /^ETIMEDOUT in \d+ ms; kernel: default sw-/);
  });
});

describe("on a host that leaks", () => {
  const RESOLVER_SOCKETS = [
    "/run/dbus/system_bus_socket",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/avahi-daemon/socket",
  ];
  let proven: Proven;
  before(async () => {
    await world.host.shell(
      "echo 'openclaw ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/leak; chmod 440 /etc/sudoers.d/leak; chmod 666 /run/docker.sock /run/nscd/socket",
    );
    await world.seawall.enforce(
      policy(
        "enforce",
        `  - {id: wide, allow: 0.0.0.0/0, why: a rule of this test}
accept_risk:
  - {scope: agent, reason: this test wants it, by: me, expires: 2099-01-01}
`,
      ),
    );
    for (const path of RESOLVER_SOCKETS) await serveSocket(world.host, path, "666");
    proven = await prove();
  });
  after(() => world.host.shell("rm /etc/sudoers.d/leak; chmod 600 /run/docker.sock /run/nscd/socket"));

  const LEAKS = ["runtime-socket", "sudo", "nscd", "resolved-dbus", "resolved-varlink", "avahi"];
  /** The rule is for TCP port 443 over IPv4, and an address rule goes past the gate. */
  const BY_RULE = ["doh-cloudflare", "doh-google", "sni-mismatch", "no-sni", "split-hello"];

  it("exactly what leaks is not held", () => {
    assert.deepEqual(sorted(proven.ids("not-held")), sorted([...LEAKS, ...BY_RULE, "fronting"]));
    assert.equal(proven.code, 1);
  });

  it("what a rule allows was not promised, what the machine leaves open was", () => {
    const { rows, summary } = proven.proof;
    const broken = rows
      .filter(({ status, promised }) => status === "not-held" && promised)
      .map(({ id }) => id);
    assert.deepEqual(sorted(broken), sorted(LEAKS));
    assert.equal(summary.broken, LEAKS.length);
  });

  for (const [id, evidence, cure] of [
    ["sudo", /sudo -n true: exit 0/, /sudoers/],
    ["runtime-socket", /\/run\/docker\.sock: connected/, /take its access away/],
    ["nscd", /\/run\/nscd\/socket: connected/, /InaccessiblePaths=/],
    ["doh-google", /`wide` allows it; connected/, /take `wide` out/],
  ] as const) {
    it(`${id} says what is open and what would hold it`, () => {
      assert.match(proven.row(id).evidence, evidence);
      assert.match(proven.row(id).cure ?? "", cure);
    });
  }
});

describe("an agent whose unit hides sockets from it", () => {
  let proven: Proven;
  before(async () => {
    await world.seawall.enforce(policy("enforce"));
    await world.host.shell("chmod 666 /run/docker.sock /run/nscd/socket");
    // As InaccessiblePaths= of systemd.exec(5) does it: a socket of mode 000 over the other.
    const hide = `${HIDDEN.map((path) => `mount --bind /run/inaccessible ${path}`).join(" && ")} && echo hidden`;
    const stay = "exec setpriv --reuid 4242 --regid 4242 --clear-groups sleep 1000";
    await serveSocket(world.host, "/run/inaccessible", "000");
    const agent = world.host.start(["unshare", "-m", "sh", "-c", `${hide} && ${stay}`]);
    await new Promise((resolve) => agent.stdout?.once("data", resolve));
    proven = await prove();
  });
  after(() => world.host.shell("chmod 600 /run/docker.sock /run/nscd/socket"));

  const HIDDEN = ["/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve"];

  it("is held there, and only there", () => {
    const status = (id: string): string => proven.row(id).status;
    assert.deepEqual(["nscd", "resolved-varlink"].map(status), ["held", "held"]);
    assert.deepEqual(["resolved-dbus", "avahi", "runtime-socket"].map(status), [
      "not-held",
      "not-held",
      "not-held",
    ]);
    assert.match(proven.row("nscd").evidence, /^\/run\/nscd\/socket: EACCES/);
  });
});

describe("on a host without IPv6", () => {
  it("ways over IPv6 cannot be tried, and the others are held as before", async () => {
    await world.host.shell("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
    const proven = await prove();
    const six = proven.proof.rows.filter(({ id }) => id.endsWith("-ipv6"));
    assert.equal(six.length, 8);
    for (const { id, status } of six) assert.equal(status, "not-possible", id);
    assert.equal(proven.row("raw-ipv4").status, "held");
  });
});

describe("with daemon and gate killed", () => {
  it("the kernel holds alone: no promise about connections is broken", async () => {
    assert.ok((await world.signal("KILL", "daemon", "gate")) > 0);
    const proven = await prove();
    const still = [
      "raw-ipv4",
      "dot",
      "doh-google",
      "dns-tcp",
      "loopback-ipv4",
      "own-address",
      "subuid",
      "after-exit",
    ];
    for (const id of still) assert.equal(proven.row(id).status, "held", id);
    assert.match(proven.row("quic-ipv4").evidence, /the log does not say by whom/);
    // What an earlier row of this file left open on the host is open still.
    assert.deepEqual(sorted(proven.ids("not-held")), ["avahi", "resolved-dbus"]);
  });
});
