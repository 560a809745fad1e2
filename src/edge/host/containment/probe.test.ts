import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, lchownSync, mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Entry, machine, processOf, UID } from "../../../../test/support/fake-machine.ts";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.ts";
import type { Containment } from "../../../core/containment/facts.ts";
import { gradeContainment } from "../../../core/containment/grade.ts";
import { RUNTIME_SOCKETS } from "../../../core/containment/runtime-socket.ts";
import { openProbe } from "./probe.ts";
import type { Subject } from "./process.ts";

const AGENT: Subject = { kind: "users", uids: [{ first: UID, last: UID }] };

function seen(t: TestContext, more: Readonly<Record<string, Entry>>): Containment {
  return gradeContainment(openProbe(machine(t, more)).facts(AGENT));
}

const inGroup = (group: string): Entry =>
  `root:x:0:\nagent:x:4242:\nstaff:x:50:agent\ndocker:x:998:${group === "docker" ? "agent" : ""}\nops:x:500:agent\n`;

describe("a dedicated user", () => {
  it("is contained on an ordinary machine", (t) =>
    assert.deepEqual(seen(t, {}), { grade: "contained", reasons: [] }));

  const HARMLESS: readonly (readonly [string, Readonly<Record<string, Entry>>])[] = [
    ["beside a person with sudo", { "/etc/sudoers.d/bob": "bob ALL=(ALL) NOPASSWD: ALL\n" }],
    ["whose sudo only lets it be itself", { "/etc/sudoers.d/x": "agent ALL=(agent) ALL\n" }],
    [
      "beside files in sudoers.d that sudo does not read",
      { "/etc/sudoers.d/x.bak": "agent ALL=(ALL) ALL\n" },
    ],
    [
      "beside a unit of root that runs its own program",
      { "/etc/systemd/system/x.service": "[Service]\nExecStart=/usr/bin/x\n" },
    ],
    [
      "beside its own unit, which runs what it may change",
      {
        "/etc/systemd/system/openclaw.service": "[Service]\nUser=agent\nExecStart=/home/agent/bin/openclaw\n",
        "/home/agent/bin/openclaw": { uid: UID },
      },
    ],
    [
      "beside a unit of root that only names its folder",
      { "/etc/systemd/system/x.service": "[Service]\nExecStart=/usr/bin/chown agent /home/agent\n" },
    ],
    [
      "with a process in a user namespace of its own",
      processOf(71, { uid: UID, cgroup: "/x", capabilities: "1ffffffffff", users: "user:[2]" }),
    ],
    [
      "beside a polkit rule for somebody else",
      { "/etc/polkit-1/rules.d/1.rules": 'if (subject.isInGroup("wheel")) return polkit.Result.YES;' },
    ],
    [
      "beside a polkit rule in a comment",
      { "/etc/polkit-1/rules.d/1.rules": '// if (subject.user == "agent") return polkit.Result.YES;' },
    ],
  ];
  for (const [what, more] of HARMLESS) {
    it(`${what} is contained`, (t) => assert.deepEqual(seen(t, more), { grade: "contained", reasons: [] }));
  }

  const WAYS_OUT: readonly (readonly [string, string, RegExp, Readonly<Record<string, Entry>>])[] = [
    ["sudo -n", "sudo", /^\(ALL\) NOPASSWD: ALL$/, { "/etc/sudoers.d/x": "agent ALL=(ALL) NOPASSWD: ALL\n" }],
    [
      "sudo for one program",
      "sudo",
      /^\(root\) NOPASSWD: \/usr\/bin\/apt$/,
      { "/etc/sudoers.d/x": "agent ALL=NOPASSWD: /usr/bin/apt\n" },
    ],
    ["sudo by group", "sudo", /ALL/, { "/etc/sudoers.d/x": "%ops ALL=(ALL) ALL\n" }],
    ["sudo by uid", "sudo", /ALL/, { "/etc/sudoers.d/x": "#4242 ALL=(ALL) ALL\n" }],
    [
      "sudo by an alias",
      "sudo",
      /ALL/,
      { "/etc/sudoers.d/x": "User_Alias ONE = bob, agent\nONE ALL=(ALL) ALL\n" },
    ],
    ["sudo for everybody", "sudo", /ALL/, { "/etc/sudoers.d/x": "ALL ALL=(ALL) ALL\n" }],
    [
      "sudo by a file that is included by name",
      "sudo",
      /ALL/,
      { "/etc/sudoers": "@include other\n", "/etc/other": "agent ALL=(ALL) ALL\n" },
    ],
    [
      "doas",
      "doas",
      /^permit nopass agent$/,
      { "/etc/doas.conf": "permit persist bob\npermit nopass agent\n" },
    ],
    ["doas by group", "doas", /:ops/, { "/etc/doas.conf": "permit setenv { A B } :ops as root\n" }],
    ["group docker", "group", /docker/, { "/etc/group": inGroup("docker") }],
    [
      "group docker, which only a process of it has still",
      "group",
      /docker/,
      processOf(71, { uid: UID, cgroup: "/x", groups: "4242 998" }),
    ],
    [
      "a polkit rule",
      "polkit",
      /1\.rules/,
      { "/etc/polkit-1/rules.d/1.rules": 'if (subject.user == "agent") { return polkit.Result.YES; }' },
    ],
    [
      "a polkit rule by group",
      "polkit",
      /1\.rules/,
      { "/etc/polkit-1/rules.d/1.rules": 'if (subject.isInGroup("ops")) return polkit.Result.YES' },
    ],
    [
      "a unit of root that it owns",
      "root-file",
      /x\.service \(unit\)/,
      { "/etc/systemd/system/x.service": { text: "", uid: UID } },
    ],
    [
      "a drop-in folder that it writes",
      "root-file",
      /x\.service\.d \(unit\)/,
      { "/etc/systemd/system/x.service.d": { folder: true, gid: 500, mode: 0o775 } },
    ],
    [
      "a program that a unit of root runs from its home",
      "root-file",
      /\/home\/agent\/x \(run by a unit of root\)/,
      { "/etc/systemd/system/x.service": "[Service]\nExecStart=-/home/agent/x --y\n" },
    ],
    [
      "a script that root's cron runs from its home",
      "root-file",
      /\/home\/agent\/backup\.sh \(run by cron as root\)/,
      { "/etc/cron.d/backup": "5 4 * * * root cd / && sh /home/agent/backup.sh\n" },
    ],
    ["cron.d", "root-file", /\/etc\/cron\.d \(cron job\)/, { "/etc/cron.d": { folder: true, mode: 0o777 } }],
    [
      "a folder of root's PATH",
      "root-file",
      /\/usr\/local\/bin/,
      { "/usr/local/bin": { folder: true, gid: 50, mode: 0o2775 }, "/etc/group": inGroup("") },
    ],
    ["ld.so.preload", "root-file", /ld\.so\.preload/, { "/etc/ld.so.preload": { mode: 0o666 } }],
    ["/etc", "root-file", /\/etc\/passwd/, { "/etc": { folder: true, mode: 0o777 } }],
    ["sudoers.d", "root-file", /sudoers\.d/, { "/etc/sudoers.d": { folder: true, uid: UID } }],
    ["the authorized_keys of root", "root-file", /\/root/, { "/root": { folder: true, mode: 0o777 } }],
    [
      "the home of somebody else",
      "other-account",
      /^bob: it can change \/home\/bob/,
      { "/home/bob": { folder: true, uid: 1000, mode: 0o777 } },
    ],
    [
      "cap_net_admin",
      "capability",
      /^node\[71\] net_admin$/,
      processOf(71, { uid: UID, cgroup: "/x", capabilities: "1000" }),
    ],
    [
      "a setuid copy of a shell",
      "setuid",
      /^\/usr\/local\/bin\/sh \(setuid root\)$/,
      { "/usr/local/bin/sh": { text: "", mode: 0o4755 }, "/var/lib/dpkg/status": "" },
    ],
    [
      "su to an account without a password",
      "no-password",
      /^guest$/,
      { "/etc/shadow": "agent:!:::::::\nguest::::::::\n" },
    ],
  ];
  for (const [what, id, evidence, more] of WAYS_OUT) {
    it(`escapes by ${what}`, (t) => {
      const { grade, reasons } = seen(t, more);
      assert.equal(grade, "not-contained");
      const reason = reasons.find((one) => one.id === id && evidence.test(one.evidence));
      assert.ok(reason !== undefined, JSON.stringify(reasons));
    });
  }

  for (const [what, evidence, more] of [
    ["has a password", /password/, { "/etc/shadow": "agent:$y$x:1::::::\n" }],
    ["has authorized keys", /1 keys/, { "/home/agent/.ssh/authorized_keys": "# mine\nssh-ed25519 AAAA x\n" }],
    ["is logged in", /session 3/, { "/run/systemd/sessions/3": "UID=4242\nCLASS=user\n" }],
  ] as const) {
    it(`is a person when it ${what}: partly contained`, (t) => {
      const { grade, reasons } = seen(t, more);
      assert.equal(grade, "partly");
      assert.deepEqual(
        reasons.map(({ id }) => id),
        ["person"],
      );
      assert.match(reasons[0]?.evidence ?? "", evidence);
    });
  }

  it("beside a masked unit, which is a link to /dev/null, is contained", (t) => {
    const root = machine(t, {
      "/etc/systemd/system/x.service": { link: "/dev/null" },
      "/dev": { folder: true },
    });
    execFileSync("mknod", ["-m", "666", `${root}/dev/null`, "c", "1", "3"]);
    assert.equal(gradeContainment(openProbe(root).facts(AGENT)).grade, "contained");
  });

  it("escapes by ssh localhost with a key that root takes", (t) => {
    const keys = temporaryDirectory(t);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", `${keys}/id`]);
    const root = machine(t, { "/home/agent/.ssh": { folder: true, uid: UID, mode: 0o700 } });
    mkdirSync(`${root}/root/.ssh`);
    copyFileSync(`${keys}/id`, `${root}/home/agent/.ssh/deploy`);
    copyFileSync(`${keys}/id.pub`, `${root}/root/.ssh/authorized_keys`);
    const { reasons } = gradeContainment(openProbe(root).facts(AGENT));
    assert.deepEqual(
      reasons.map(({ id, evidence }) => [id, evidence]),
      [["other-account", "root: it has the key /home/agent/.ssh/deploy"]],
    );
  });

  it("is not charged with a key of root that it only links to", (t) => {
    const keys = temporaryDirectory(t);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${keys}/id`]);
    const root = machine(t, { "/home/agent/.ssh": { folder: true, uid: UID, mode: 0o700 } });
    mkdirSync(`${root}/root/.ssh`);
    copyFileSync(`${keys}/id`, `${root}/root/.ssh/id`);
    copyFileSync(`${keys}/id.pub`, `${root}/root/.ssh/authorized_keys`);
    symlinkSync("/root/.ssh/id", `${root}/home/agent/.ssh/id`);
    lchownSync(`${root}/home/agent/.ssh/id`, UID, UID);
    assert.equal(gradeContainment(openProbe(root).facts(AGENT)).grade, "contained");
  });

  for (const [what, gid, mode, expected] of [
    ["of a group it is in", 500, 0o660, "not-contained"],
    ["that everybody writes to", 0, 0o666, "not-contained"],
    ["of a group it is not in", 998, 0o660, "contained"],
  ] as const) {
    it(`with a docker.sock ${what} is ${expected}`, async (t) => {
      const root = machine(t, { "/run": { folder: true }, "/var/run": { link: "/run" } });
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(`${root}/run/docker.sock`, resolve));
      t.after(() => server.close());
      chownSync(`${root}/run/docker.sock`, 0, gid);
      chmodSync(`${root}/run/docker.sock`, mode);
      assert.equal(gradeContainment(openProbe(root).facts(AGENT)).grade, expected);
    });
  }
});

describe("every runtime that is known", () => {
  for (const path of RUNTIME_SOCKETS) {
    it(`is looked for at ${path}`, async (t) => {
      const root = machine(t, { "/run": { folder: true } });
      mkdirSync(`${root}${dirname(path)}`, { recursive: true });
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(`${root}${path}`, resolve));
      t.after(() => server.close());
      chmodSync(`${root}${path}`, 0o666);
      const { reasons } = gradeContainment(openProbe(root).facts(AGENT));
      assert.ok(reasons.some(({ id, evidence }) => id === "runtime-socket" && evidence.includes(path)));
    });
  }
});

describe("what cannot be read is not known", () => {
  for (const [what, id, more] of [
    ["sudoers that cvtsudoers does not take", "unknown-sudo", { "/etc/sudoers.d/x": "agent ALL=(ALL\n" }],
    ["sudoers that are no file", "unknown-sudo", { "/etc/sudoers": { link: "/none" } }],
    ["sudo that asks a directory", "unknown-sudo", { "/etc/nsswitch.conf": "sudoers: files sss\n" }],
    ["a shadow that is not there", "unknown-person", { "/etc/shadow": { folder: true } }],
  ] as const) {
    it(`${what}: partly contained at most`, (t) => {
      const { grade, reasons } = seen(t, more);
      assert.equal(grade, "partly");
      assert.ok(
        reasons.some((one) => one.id === id),
        JSON.stringify(reasons),
      );
    });
  }

  it("a machine without passwd: no grade", (t) =>
    assert.equal(seen(t, { "/etc/passwd": { folder: true } }).grade, "unknown"));
});
