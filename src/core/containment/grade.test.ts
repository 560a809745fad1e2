import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { capabilityNames, isOrdinaryProgram } from "./baseline.ts";
import {
  type AccountFacts,
  type ContainerFacts,
  type HostFacts,
  known,
  type ProcessFacts,
  type ProgramFacts,
  unknown,
} from "./facts.ts";
import { gradeContainment } from "./grade.ts";

const DEDICATED: AccountFacts = {
  uid: 990,
  name: "openclaw",
  groups: known(["openclaw"]),
  sudo: known([]),
  doas: known([]),
  polkit: known([]),
  sockets: known([]),
  devices: known([]),
  rootFiles: known([]),
  otherAccounts: known([]),
  otherAdmins: known(["maria"]),
  belongings: null,
  person: known([]),
  starters: known([]),
  cgroups: known([]),
};
const GATEWAY: ProcessFacts = {
  pid: 7,
  command: "node",
  program: "/usr/bin/node",
  uid: 990,
  capabilities: [],
  noNewPrivileges: false,
  inScope: true,
};

function facts(account: Partial<AccountFacts>, host: Partial<HostFacts> = {}): HostFacts {
  return {
    boundary: "user",
    accounts: known([{ ...DEDICATED, ...account }]),
    processes: known([GATEWAY]),
    programs: known([]),
    withoutPassword: known([]),
    ...host,
  };
}

function program(fields: Partial<ProgramFacts>): Partial<HostFacts> {
  const one: ProgramFacts = { path: "/opt/x", kind: "setuid", gives: ["root"], packaged: false, ...fields };
  return { programs: known([one]) };
}

function running(fields: Partial<ProcessFacts>): Partial<HostFacts> {
  return { processes: known([{ ...GATEWAY, ...fields }]) };
}

const PLACE: Partial<HostFacts> = { boundary: "place" };
const RIGHT = { command: "/usr/bin/apt", as: "root", free: true };
const MANAGER = { kind: "user-manager", evidence: "/run/user/990/bus" } as const;

describe("a command that helps", () => {
  for (const [name, word] of [
    ["openclaw", "openclaw"],
    ["$(touch x)", "'$(touch x)'"],
    ["a b", "'a b'"],
    ["a\nb", "$'a\\012b'"],
  ] as const) {
    const cureOf = (
      id: string,
      account: Partial<AccountFacts>,
      host: Partial<HostFacts>,
    ): string | undefined =>
      gradeContainment(facts({ name, ...account }, host)).reasons.find((one) => one.id === id)?.cure;
    it(`names the user ${JSON.stringify(name)} as one word`, () => {
      assert.equal(
        cureOf("group", { groups: known(["docker"]) }, {}),
        `gpasswd -d ${word} docker (and start the agent anew)`,
      );
      assert.match(cureOf("sudo", { sudo: known([RIGHT]) }, {}) ?? "", /^take its lines out of sudoers/);
      assert.ok(cureOf("sudo", { sudo: known([RIGHT]) }, {})?.includes(`(sudo -l -U ${word} shows`));
      assert.equal(cureOf("no-password", {}, { withoutPassword: known([name]) }), `passwd -l ${word}`);
    });
  }
});

describe("the cure of the only account that administers the machine", () => {
  const belongings = { home: "/home/you", unit: "openclaw-gateway.service", newUser: "openclaw" };
  const cures = (account: Partial<AccountFacts>): readonly string[] =>
    gradeContainment(facts({ name: "you", belongings, ...account }, {})).reasons.map(({ cure }) => cure);
  for (const otherAdmins of [known([]), unknown("sudo asks a directory too")])
    for (const [what, account] of [
      ["sudo", { sudo: known([RIGHT]) }],
      ["doas", { doas: known(["permit you"]) }],
      ["group sudo", { groups: known(["sudo"]) }],
      ["group wheel", { groups: known(["wheel"]) }],
    ] as const)
      it(`takes no right of ${what} away: the agent moves to a user of its own`, () => {
        const [cure = ""] = cures({ ...account, otherAdmins });
        assert.doesNotMatch(cure, /gpasswd|visudo|doas\.conf/);
        assert.match(cure, /useradd [\s\S]*mv \/home\/you\/\.openclaw \/home\/openclaw\/\.openclaw/);
      });
  it("takes sudo away where somebody else has it", () => {
    assert.match(cures({ sudo: known([RIGHT]) })[0] ?? "", /^take its lines out of sudoers/);
    assert.match(
      cures({ groups: known(["docker"]), otherAdmins: known([]) })[0] ?? "",
      /^gpasswd -d you docker/,
    );
  });
  it("names no command of Seawall that does not exist", () => {
    const all = cures({
      uid: 0,
      person: known(["a password"]),
      sudo: known([RIGHT]),
      otherAdmins: known([]),
    });
    for (const cure of all) assert.doesNotMatch(cure, /harden/);
  });
});

describe("a scope", () => {
  for (const [what, account, host] of [
    ["of a dedicated user", {}, {}],
    ["of a dedicated user that has a user manager and cron", { starters: known([MANAGER]) }, {}],
    ["of a unit whose user nothing else runs as", {}, PLACE],
    ["beside setuid programs of the distribution", {}, program({ path: "/usr/bin/sudo", packaged: true })],
    [
      "beside a program that may bind low ports",
      {},
      program({ kind: "capability", gives: ["net_bind_service"] }),
    ],
    ["that runs ping at this moment", {}, running({ program: "/usr/bin/ping", capabilities: ["net_raw"] })],
    ["of a gateway that may bind low ports", {}, running({ capabilities: ["net_bind_service"] })],
    ["beside a setgid program of a group without power", {}, program({ kind: "setgid", gives: ["games"] })],
  ] as const) {
    it(`${what} is contained`, () =>
      assert.deepEqual(gradeContainment(facts(account, host)), { grade: "contained", reasons: [] }));
  }

  for (const [what, id, account, host] of [
    ["of root", "root", { uid: 0, name: "root" }, {}],
    ["of a user with sudo", "sudo", { sudo: known([RIGHT]) }, {}],
    ["of a user with sudo and a password", "sudo", { sudo: known([{ ...RIGHT, free: false }]) }, {}],
    ["of a user with doas", "doas", { doas: known(["permit openclaw"]) }, {}],
    ["of a user in group docker", "group", { groups: known(["docker"]) }, {}],
    ["of a user in group lxd", "group", { groups: known(["x", "lxd"]) }, {}],
    ["of a user in group disk", "group", { groups: known(["disk"]) }, {}],
    ["of a user in group shadow", "group", { groups: known(["shadow"]) }, {}],
    ["of a user that reaches docker.sock", "runtime-socket", { sockets: known(["/run/docker.sock"]) }, {}],
    ["of a user with a polkit rule", "polkit", { polkit: known([{ file: "/etc/x.rules", sure: true }]) }, {}],
    [
      "of a user that writes a unit of root",
      "root-file",
      { rootFiles: known([{ path: "/x", what: "unit" }]) },
      {},
    ],
    ["of a user that writes a disk", "device", { devices: known(["/dev/sda"]) }, {}],
    [
      "of a user with a key of root",
      "other-account",
      { otherAccounts: known([{ user: "root", evidence: "k" }]) },
      {},
    ],
    [
      "of a process that calls itself ping",
      "capability",
      {},
      running({ command: "ping", program: "/home/agent/ping", capabilities: ["net_raw"] }),
    ],
    ["of a process with cap_setuid", "capability", {}, running({ capabilities: ["setuid"] })],
    ["of a process with cap_net_admin", "capability", {}, running({ capabilities: ["net_admin"] })],
    ["of a process that may send raw frames", "capability", {}, running({ capabilities: ["net_raw"] })],
    [
      "of a process with a capability that is too new to be known",
      "capability",
      {},
      running({ capabilities: ["capability-50"] }),
    ],
    ["beside a setuid program of nobody's", "setuid", {}, program({})],
    ["beside a node with cap_net_raw", "setuid", {}, program({ kind: "capability", gives: ["net_raw"] })],
    ["beside an account without a password", "no-password", {}, { withoutPassword: known(["guest"]) }],
    ["of a unit whose user has a user manager", "user-manager", { starters: known([MANAGER]) }, PLACE],
    ["of a unit whose user moves itself by cgroup.procs", "cgroup", { cgroups: known(["/a"]) }, PLACE],
    [
      "of a unit whose user runs outside too",
      "process-outside",
      {},
      { ...PLACE, ...running({ inScope: false }) },
    ],
  ] as const) {
    it(`${what} is not contained`, () => {
      const { grade, reasons } = gradeContainment(facts(account, host));
      assert.equal(grade, "not-contained");
      assert.deepEqual(
        reasons.map((reason) => reason.id),
        [id],
      );
      assert.ok(
        reasons.every(({ evidence, cure, sentence }) => evidence !== "" && cure !== "" && sentence !== ""),
      );
    });
  }

  const held = { ...PLACE, ...running({ noNewPrivileges: true }) };
  for (const [what, id, account, host] of [
    ["of a person's login", "person", { person: known(["it has a password"]) }, {}],
    ["of a user that reads all logs", "group-reads", { groups: known(["adm"]) }, {}],
    ["of a unit with no_new_privs whose user has sudo", "sudo", { sudo: known([RIGHT]) }, held],
    ["under an unclear polkit rule", "polkit-unclear", { polkit: known([{ file: "/x", sure: false }]) }, {}],
    ["beside an unusual setuid program of a package", "setuid-unusual", {}, program({ packaged: true })],
    [
      "beside a setuid program of which nobody knows whose it is",
      "setuid-unusual",
      {},
      program({ packaged: null }),
    ],
  ] as const) {
    it(`${what} is partly contained`, () => {
      const { grade, reasons } = gradeContainment(facts(account, host));
      assert.equal(grade, "partly");
      assert.deepEqual(
        reasons.map((reason) => reason.id),
        [id],
      );
    });
  }

  it("of a user with sudo is not contained by no_new_privs: cron starts it without", () =>
    assert.equal(
      gradeContainment(facts({ sudo: known([RIGHT]) }, running({ noNewPrivileges: true }))).grade,
      "not-contained",
    ));

  // Those two say which cure is true, and nothing of what the user can do.
  const ofCures = ["otherAdmins", "belongings"];
  const names = Object.keys(DEDICATED).filter((key) => !["uid", "name", ...ofCures].includes(key));
  for (const name of names) {
    it(`of whose user the ${name} are not known is partly contained at most`, () => {
      const boundary = name === "starters" || name === "cgroups" ? "place" : "user";
      const { grade, reasons } = gradeContainment(facts({ [name]: unknown("it broke") }, { boundary }));
      assert.equal(grade, "partly");
      assert.deepEqual(
        reasons.map(({ effect, evidence }) => ({ effect, evidence })),
        [{ effect: "unknown", evidence: "it broke" }],
      );
    });
  }

  for (const name of ["processes", "programs", "withoutPassword"] as const) {
    it(`of which the ${name} are not known is partly contained at most`, () =>
      assert.equal(gradeContainment(facts({}, { [name]: unknown("it broke") })).grade, "partly"));
  }

  it("of which nobody knows whose it is has no grade", () =>
    assert.equal(
      gradeContainment(facts({}, { accounts: unknown("nothing runs in it now") })).grade,
      "unknown",
    ));

  it("names the ways out first", () => {
    const { reasons } = gradeContainment(
      facts({ sudo: known([RIGHT]), doas: unknown("it broke"), person: known(["a password"]) }),
    );
    assert.deepEqual(
      reasons.map(({ effect }) => effect),
      ["escapes", "partial", "unknown"],
    );
  });

  it("has no reason that could write to a terminal or that has no end, whatever files are called", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 500 }), { minLength: 1, maxLength: 20 }),
        (paths) => {
          const found = facts({ rootFiles: known(paths.map((path) => ({ path, what: "unit" }))) });
          const [reason] = gradeContainment(found).reasons;
          assert.match(reason?.evidence ?? "\n", /^[\x20-\x7e]{0,1200}$/);
        },
      ),
    );
  });
});

describe("a scope of containers", () => {
  const PLAIN: ContainerFacts = {
    name: "openclaw",
    privileged: false,
    shared: [],
    capabilities: [],
    mounts: [],
    otherNetworks: [],
    hostResolvers: [],
  };
  const grade = (fields: Partial<ContainerFacts>) =>
    gradeContainment({ boundary: "container", containers: known([{ ...PLAIN, ...fields }]) });

  for (const [what, fields] of [
    ["as docker run makes it", {}],
    ["with a folder of the user's home", { mounts: ["/home/bob/.openclaw"] }],
    ["with its own data", { mounts: ["/srv/openclaw", "/var/lib/openclaw"] }],
    ["with cap_net_admin in its own network", { capabilities: ["net_admin"] }],
    ["with the time zone", { mounts: ["/etc/localtime"] }],
  ] as const) {
    it(`${what} is contained`, () => assert.equal(grade(fields).grade, "contained"));
  }

  for (const [what, id, fields] of [
    ["that is privileged", "privileged", { privileged: true }],
    ["that shares the machine's processes", "shared-namespace", { shared: ["pid"] }],
    ["with cap_sys_admin", "container-capability", { capabilities: ["sys_admin"] }],
    ["with all capabilities", "container-capability", { capabilities: ["all"] }],
    ["with docker.sock", "container-mount", { mounts: ["/var/run/docker.sock"] }],
    ["with the socket of libvirt", "container-mount", { mounts: ["/run/libvirt/virtqemud-sock"] }],
    ["with /run, where docker.sock is", "container-mount", { mounts: ["/run"] }],
    ["with the whole machine", "container-mount", { mounts: ["/"] }],
    ["with cron", "container-mount", { mounts: ["/etc/cron.d"] }],
    ["with somebody's keys", "container-mount", { mounts: ["/home/bob/.ssh"] }],
    ["with all homes", "container-mount", { mounts: ["/home"] }],
    ["that is in another network too", "container-network", { otherNetworks: ["bridge"] }],
    ["that resolves through dockerd", "container-resolver", { hostResolvers: ["127.0.0.53"] }],
  ] as const) {
    it(`${what} is not contained`, () => {
      const found = grade(fields);
      assert.equal(found.grade, "not-contained");
      assert.deepEqual(
        found.reasons.map((reason) => reason.id),
        [id],
      );
    });
  }

  it("has no grade while dockerd does not answer", () =>
    assert.equal(
      gradeContainment({ boundary: "container", containers: unknown("no answer") }).grade,
      "unknown",
    ));
});

describe("capabilities", () => {
  for (const [mask, names] of [
    ["0000000000000000", []],
    ["0000000000001000", ["net_admin"]],
    ["0000000000002000", ["net_raw"]],
    ["0000000000000080", ["setuid"]],
    ["0000010000000000", ["checkpoint_restore"]],
    ["8000000000000000", ["capability-63"]],
  ] as const) {
    it(`${mask} is ${names.join() || "none"}`, () => assert.deepEqual(capabilityNames(mask), names));
  }
});

describe("a setuid program", () => {
  for (const [path, ordinary] of [
    ["/usr/bin/sudo", true],
    ["/usr/lib/openssh/ssh-keysign", true],
    ["/usr/bin/find", false],
    ["/usr/local/bin/sudo", false],
    ["/home/agent/sudo", false],
    ["/opt/usr/bin/su", false],
  ] as const) {
    it(`${path} is ${ordinary ? "ordinary" : "not ordinary"}`, () =>
      assert.equal(isOrdinaryProgram(path), ordinary));
  }
});
