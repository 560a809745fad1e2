// A policy that would cut the operator off is refused before it is loaded, however the operator came in.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { SEAWALL_WORDS, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";
import { type Said, openSession } from "../support/host/session.ts";
import type { SshOptions } from "../support/host/ssh.ts";

const OPERATOR4 = "198.51.100.7";
const OPERATOR6 = "2001:db8:77::7";
const ELSEWHERE = inbound("ssh from 192.0.2.0/24"); // documentation addresses: nobody is there
const ANYWHERE = inbound("ssh from any");

describe("apply from an ssh session", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let untouched: string;
  let cutting: string;
  let keeping: string;
  before(async () => {
    host = await startHost({ sshd: { ports: [22, 2222] } });
    seawall = seawallOn(host);
    await seawall.enforce(ANYWHERE.replace("allow: ssh", "allow: [ssh, 2222]"));
    untouched = await host.seawallTable();
    cutting = await seawall.policy(ELSEWHERE);
    keeping = await seawall.policy(ANYWHERE);
  });
  after(() => host.stop());
  afterEach(async () => {
    await seawall.withdraw();
  });

  const refused = async (said: { readonly code: number | null; readonly text: string }, peer: string) => {
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_LOCKOUT/);
    assert.ok(said.text.includes(peer), `${peer} is not named:\n${said.text}`);
    assert.match(said.text, /--accept-risk=lose-ssh/, "the way to do it anyway is named");
    assert.equal(await host.seawallTable(), untouched, "nothing was loaded");
  };

  const rows: readonly (readonly [string, SshOptions, string, string])[] = [
    ["over IPv4", { from: OPERATOR4 }, "", OPERATOR4],
    ["over IPv6", { from: OPERATOR6, to: HOST6 }, "", OPERATOR6],
    [
      "under sudo, which hides where the operator came from",
      { from: OPERATOR4, user: "operator" },
      "sudo -n",
      OPERATOR4,
    ],
    [
      "under sudo with an empty environment",
      { from: OPERATOR4, user: "operator" },
      "sudo -n env -i",
      OPERATOR4,
    ],
    ["on a second port of sshd", { from: OPERATOR4, port: 2222 }, "", OPERATOR4],
  ];
  for (const [name, options, prefix, peer] of rows) {
    it(`${name} is refused when it would cut that session`, async () => {
      const result = await host.ssh.run(`${prefix} ${SEAWALL_WORDS} apply ${cutting}`, options);
      await refused({ code: result.code, text: result.stdout + result.stderr }, peer);
    });
  }

  it("is refused when it keeps ssh's port but not the port the session uses", async () => {
    const result = await host.ssh.run(`${SEAWALL_WORDS} apply ${keeping}`, { from: OPERATOR4, port: 2222 });
    await refused({ code: result.code, text: result.stdout + result.stderr }, OPERATOR4);
  });

  it("is refused when a deny rule would cut the session that an allow rule keeps", async () => {
    const text = `${ANYWHERE}  - deny: any\n    from: 198.51.100.0/24\n    why: a rule of this test\n`;
    const result = await host.ssh.run(`${SEAWALL_WORDS} apply ${await seawall.policy(text)}`, {
      from: OPERATOR4,
    });
    await refused({ code: result.code, text: result.stdout + result.stderr }, OPERATOR4);
  });

  it("is refused when no inbound rule is there at all", async () => {
    const path = await seawall.policy("version: 1\nmode: enforce\ninbound: []\n");
    const result = await host.ssh.run(`${SEAWALL_WORDS} apply ${path}`, { from: OPERATOR4 });
    await refused({ code: result.code, text: result.stdout + result.stderr }, OPERATOR4);
  });

  for (const user of ["root", "operator"] as const) {
    it(`is refused from ${user}'s tmux`, async () => {
      const session = await openSession(host, { from: OPERATOR4, user });
      try {
        const sudo = user === "root" ? "" : "sudo -n ";
        const said = await inTmux(host, session.say, `${sudo}${SEAWALL_WORDS} apply ${cutting}`);
        await refused(said, OPERATOR4);
      } finally {
        await session.say("tmux -L lockout kill-server");
        session.close();
      }
    });
  }

  it("at the console is refused when it would cut somebody else's session", async () => {
    const session = await openSession(host, { from: OPERATOR4 });
    try {
      const result = await seawall.run("apply", cutting);
      await refused({ code: result.code, text: result.stdout + result.stderr }, OPERATOR4);
    } finally {
      session.close();
    }
  });

  it("with `--yes` alone is still refused", async () => {
    const result = await host.ssh.run(`${SEAWALL_WORDS} apply ${cutting} --yes`, { from: OPERATOR4 });
    await refused({ code: result.code, text: result.stdout + result.stderr }, OPERATOR4);
  });

  it("goes through when the policy keeps the session", async () => {
    const result = await host.ssh.run(`${SEAWALL_WORDS} apply ${keeping}`, { from: OPERATOR4 });
    assert.equal(result.code, 0, result.stderr);
    assert.equal((await seawall.status()).state, "pending");
  });

  it("goes through with --accept-risk=lose-ssh, waits to be confirmed, and cuts the login it forbids", async () => {
    const command = `${SEAWALL_WORDS} apply ${cutting} --accept-risk=lose-ssh`;
    const result = await host.ssh.run(command, { from: OPERATOR4 });
    assert.equal(result.code, 0, result.stderr);
    assert.equal((await seawall.status()).state, "pending");
    assert.equal(await host.upstream.connect({ from: OPERATOR4, to: HOST4, port: 22 }), "refused");
  });
});

/** Runs `command` in a new tmux of the session's user and waits for its end. */
async function inTmux(host: Host, say: (command: string) => Promise<Said>, command: string): Promise<Said> {
  await host.shell("rm -f /run/tmp/said /run/tmp/code");
  const line = `{ ${command}; } >/run/tmp/said 2>&1; echo $? >/run/tmp/code`;
  await say(`tmux -L lockout new-session -d "${line.replaceAll("$", "\\$")}"`);
  const ended = async () => (await host.run(["test", "-s", "/run/tmp/code"])).code;
  assert.equal(await eventually(ended, 0, 30_000), 0, "the command in tmux did not end");
  return { code: Number(await host.shell("cat /run/tmp/code")), text: await host.shell("cat /run/tmp/said") };
}
