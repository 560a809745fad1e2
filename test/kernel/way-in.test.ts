// What is said of the owner's way in: that nobody can log in, and the one line that confirms.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { inbound, SEAWALL_WORDS, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";
import type { SshOptions } from "../support/host/ssh.ts";

const OPERATOR = "198.51.100.7";
const OPERATOR6 = "2001:db8:77::7";
const NO_SSH = /NO SSH: this host's SSH listens on 22, 2222, no rule lets anybody in/;

describe("where sshd listens and no rule lets anybody in", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost({ sshd: { ports: [22, 2222] } });
    seawall = seawallOn(host);
    await host.shell("mkdir -p /etc/seawall");
  });
  after(() => host.stop());
  afterEach(async () => seawall.withdraw());

  const installed = async (text: string) => host.shell("cat >/etc/seawall/policy.yaml", { input: text });

  for (const [what, text] of [
    ["a rule for another port", inbound("9000 from any")],
    ["no inbound rule", '{"version":1,"mode":"enforce"}'],
    [
      "a rule for everybody and one against them",
      `${inbound("ssh from any")}  - {deny: [ssh, 2222], from: any, why: a rule of this test}\n`,
    ],
    ["a rule that ended", inbound("ssh from any").replace("from: any", "from: any\n    expires: 2020-01-01")],
  ] as const) {
    it(`apply, status and the check say so under ${what}`, async () => {
      await installed(text);
      const applied = await seawall.run("apply", "--accept-risk=lose-ssh");
      assert.equal(applied.code, 0, applied.stderr);
      assert.match(applied.stderr, NO_SSH);
      assert.match(applied.stderr, /- \{allow: \[ssh, 2222\], from: any, why: "administration by SSH"\}/);
      assert.match(await seawall.ok("status"), NO_SSH);
      assert.match(JSON.parse(await seawall.ok("status", "--json")).noSsh.said, NO_SSH);
      assert.match(await seawall.ok("policy", "check"), NO_SSH);
      const path = await seawall.policy(text);
      assert.match(await seawall.ok("policy", "check", path, "--here"), NO_SSH);
      assert.doesNotMatch(
        await seawall.ok("policy", "check", path),
        NO_SSH,
        "a file alone is judged by itself",
      );
    });
  }

  it("the line that is to be written lets SSH in", async () => {
    const said = (
      await seawall.run("apply", "--accept-risk=lose-ssh", await seawall.policy(inbound("9000 from any")))
    ).stderr;
    await seawall.withdraw();
    const rule = /apply: (- \{.*\})$/m.exec(said)?.[1] ?? "";
    const mended = await seawall.run("apply", await seawall.policy(`${inbound("9000 from any")}  ${rule}\n`));
    assert.equal(mended.code, 0, mended.stderr);
    assert.doesNotMatch(mended.stderr, /NO SSH/);
    assert.equal(await host.upstream.connect({ from: OPERATOR, to: HOST4, port: 2222 }), "connected");
  });

  for (const [what, rule] of [
    ["for one of its ports", "2222 from any"],
    ["for some sources", "ssh from 192.0.2.0/24"],
    ["for one family", "ssh from 0.0.0.0/0"],
  ] as const) {
    it(`nothing is said under a rule ${what}`, async () => {
      const applied = await seawall.run("apply", await seawall.policy(inbound(rule)));
      assert.doesNotMatch(applied.stdout + applied.stderr, /NO SSH/);
      assert.doesNotMatch(await seawall.ok("status"), /NO SSH/);
    });
  }
});

describe("sshd over one family alone, and on another port than before", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
  });
  after(() => host.stop());

  const sshdInstead = async (...words: readonly string[]) => {
    await host.shell("kill $(cat /run/ssh/pid)");
    host.start(["/usr/sbin/sshd", "-D", "-f", "/run/ssh/config", ...words.flatMap((word) => ["-o", word])]);
    const port = /Port=(\d+)/.exec(words.join(" "))?.[1];
    const listens = async () => (await host.run(["sh", "-c", `ss -Hltn sport = :${port} | grep -q .`])).code;
    assert.equal(await eventually(listens, 0, 30_000), 0);
  };

  it("seawalld says it when sshd moves to a port that no rule admits", async () => {
    await seawall.enforce(inbound("ssh from any"));
    const daemon = await startDaemon(host);
    assert.doesNotMatch(daemon.said(), /NO SSH/);
    await sshdInstead("Port=2222");
    const said = async () => /NO SSH: this host's SSH listens on 2222, no rule/.test(daemon.said());
    assert.equal(await eventually(said, true, 120_000), true, daemon.said());
    assert.match(await seawall.ok("status"), /NO SSH/);
    await daemon.kill();
  });

  it("a panic then lets in the port where sshd is", async () => {
    assert.match(await seawall.ok("panic"), /\b2222\)/);
    assert.equal(await host.upstream.connect({ from: OPERATOR, to: HOST4, port: 2222 }), "connected");
    assert.doesNotMatch(await seawall.ok("status"), /NO SSH/);
    await seawall.ok("panic", "--off");
  });

  it("a rule for the other family lets nobody in", async () => {
    await sshdInstead("Port=22", "AddressFamily=inet6");
    const applied = await seawall.run("apply", await seawall.policy(inbound("ssh from 0.0.0.0/0")));
    assert.match(applied.stderr, /NO SSH: this host's SSH listens on 22 over IPv6 only/);
  });
});

describe("the line that confirms", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost({ sshd: { ports: [22, 2222] } });
    seawall = seawallOn(host);
  });
  after(() => host.stop());
  afterEach(async () => seawall.withdraw());

  const rows: readonly (readonly [string, SshOptions, string, string])[] = [
    [
      "of a user",
      { user: "operator" },
      "sudo -n",
      `ssh -t -o ControlPath=none operator@${HOST4} sudo seawall confirm`,
    ],
    [
      "of a user under an empty environment",
      { user: "operator" },
      "sudo -n env -i",
      `ssh -t -o ControlPath=none operator@${HOST4} sudo seawall confirm`,
    ],
    ["of root", { user: "root" }, "", `ssh -t -o ControlPath=none root@${HOST4} seawall confirm`],
    [
      "on another port",
      { user: "operator", port: 2222 },
      "sudo -n",
      `ssh -t -o ControlPath=none -p 2222 operator@${HOST4} sudo seawall confirm`,
    ],
    [
      "over IPv6",
      { user: "operator", to: HOST6, from: OPERATOR6 },
      "sudo -n",
      `ssh -t -o ControlPath=none operator@${HOST6} sudo seawall confirm`,
    ],
  ];
  for (const [what, options, sudo, line] of rows) {
    it(`${what} is printed by apply, status and the refusal, ready to paste`, async () => {
      const run = (words: string) =>
        host.ssh.run(`${sudo} ${SEAWALL_WORDS} ${words}`, { from: OPERATOR, ...options });
      const path = await seawall.policy(inbound("ssh from any", "2222 from any"));
      const applied = await run(`apply ${path}`);
      assert.ok(applied.stderr.includes(`Next, from your own computer: ${line}\n`), applied.stderr);
      assert.match(applied.stdout, /^on trial: history \d+, for \d+ s unless confirmed$/m);
      const status = await run("status");
      assert.ok(status.stdout.includes(line), status.stdout);
      assert.match(status.stdout, /^ON TRIAL +\d+ s left/m);
      const again = await run(`apply ${path}`);
      assert.ok(again.stderr.includes(line), again.stderr);
    });
  }

  it("at the console has placeholders for what nobody knows", async () => {
    const applied = await seawall.run("apply", await seawall.policy(inbound("ssh from any")));
    assert.match(applied.stderr, /ssh -t -o ControlPath=none you@server sudo seawall confirm/);
  });
});
