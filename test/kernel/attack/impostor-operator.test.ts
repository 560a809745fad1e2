// Whoever calls themselves an operator confirms nothing for one, and keeps no operator from anything.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../../support/host/host.ts";
import { type Impostor, type ImpostorWanted, startImpostor } from "../../support/host/impostor.ts";
import { inbound, SEAWALL_WORDS, type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";
import { openSession, type Said, type Session } from "../../support/host/session.ts";

const AGENT = 54_321;
const SOMEBODY = 54_322;
const OPERATOR = "198.51.100.7";
const ACCOMPLICE = "45.33.32.156";
const CONFIRM = `${SEAWALL_WORDS} confirm`;
const FORGOTTEN = inbound("4444 from any");
const KEPT = inbound("ssh from any", "4444 from any");
const CLOSED = inbound(`ssh from ${OPERATOR}`);

describe("somebody who calls themselves an operator", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  const impostors: Impostor[] = [];
  const sessions: Session[] = [];
  const impostor = async (wanted: ImpostorWanted) => void impostors.push(await startImpostor(host, wanted));
  const login = async (...args: readonly string[]) => {
    const opened = await openSession(host, { from: OPERATOR, args });
    sessions.push(opened);
    return opened;
  };
  const accomplice = async (port: number) => {
    const opened = await host.upstream.open({ from: ACCOMPLICE, to: HOST4, port });
    assert.equal(opened.outcome, "connected");
    return opened;
  };
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
    await seawall.enforce(KEPT);
  });
  after(() => host.stop());
  afterEach(async () => {
    for (const open of sessions.splice(0)) open.close();
    for (const one of impostors.splice(0)) await one.stop();
    await seawall.withdraw();
  });

  for (const [who, uid] of [
    ["the agent", AGENT],
    ["another user", SOMEBODY],
  ] as const) {
    it(`as tmux below an sshd of its own, ${who} confirms nothing for an old tmux of the operator`, async () => {
      const old = await login();
      await old.say("tmux -L impostor new-session -d -s work");
      await impostor({ name: "sshd", uid, port: 4444, child: "tmux" });
      await seawall.ok("apply", "--accept-risk=lose-ssh", await seawall.policy(FORGOTTEN));
      const open = await accomplice(4444);
      const said = await inTmux(host, CONFIRM);
      await open.close();
      await host.run(["tmux", "-L", "impostor", "kill-server"]);
      assert.equal(said.code, 2, said.text);
      assert.match(said.text, /SEAWALL_NOT_CONFIRMED/);
      assert.equal((await seawall.status()).state, "pending");
    });

    it(`as sshd with a guest, ${who} keeps nobody from closing its port, or from the console`, async () => {
      await impostor({ name: "sshd", uid, port: 4444 });
      const open = await accomplice(4444);
      await seawall.ok("apply", await seawall.policy(CLOSED));
      await seawall.ok("confirm", "--console");
      await open.close();
      await seawall.enforce(KEPT);
    });
  }

  it("who connects to SSH and says nothing keeps nobody from narrowing it, or from the console", async () => {
    const open = await accomplice(22);
    await seawall.ok("apply", await seawall.policy(CLOSED));
    await seawall.ok("confirm", "--console");
    await open.close();
    await seawall.enforce(KEPT);
  });

  it("by a mosh-server with an environment of its own choice keeps nobody from narrowing SSH", async () => {
    const told = [`SSH_CONNECTION=${ACCOMPLICE} 40000 ${HOST4} 22`, "LC_ALL=C.UTF-8"];
    const who = ["setpriv", `--reuid=${SOMEBODY}`, `--regid=${SOMEBODY}`, "--clear-groups"];
    const server = ["mosh-server", "new", "-p", "60009", "--", "sleep", "600"];
    const { code, stderr } = await host.run(["env", ...told, ...who, ...server]);
    assert.equal(code, 0, stderr);
    await seawall.ok("apply", await seawall.policy(CLOSED));
  });

  it("logged in as the agent by real SSH keeps nobody from closing that", async () => {
    const agent = await openSession(host, { from: ACCOMPLICE, user: "operator" });
    sessions.push(agent);
    const text = `${CLOSED}scopes: {agent: {user: operator}}
outbound: []
accept_risk:
  - {scope: agent, reason: the agent of this test is no more than a uid, by: me, expires: 2099-01-01}
`;
    await seawall.ok("apply", await seawall.policy(text));
    await seawall.ok("confirm", "--console");
    await seawall.enforce(KEPT);
  });

  it("on a port that a session of root's forwards is nobody, also once sshd was restarted", async () => {
    const session = await login("-R", "0.0.0.0:4444:127.0.0.1:7777");
    host.upstream.start(["nc", "-lk", "127.0.0.1", "7777"]);
    await host.shell("kill $(cat /run/ssh/pid)");
    host.start(["/usr/sbin/sshd", "-D", "-f", "/run/ssh/config", "-o", "Port=22"]);
    const listens = async () => (await host.run(["sh", "-c", "ss -Hltn sport = :22 | grep -q ."])).code;
    assert.equal(await eventually(listens, 0, 30_000), 0);
    await seawall.ok(
      "apply",
      await seawall.policy(inbound("ssh from any", "4444 from any", "9001 from any")),
    );
    const open = await accomplice(4444);
    const said = await session.say(CONFIRM);
    await open.close();
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_NOT_CONFIRMED/);
    assert.doesNotMatch(await seawall.ok("panic"), /4444/);
    await seawall.ok("panic", "--off");
  });

  for (const [what, create, attach, remove] of [
    [
      "tmux",
      "tmux -L impostor new-session -d -s work",
      "tmux -L impostor attach -t work",
      "tmux -L impostor kill-server",
    ],
    ["screen", "screen -dmS work", "screen -x work", "screen -S work -X quit"],
  ] as const) {
    it(`who really attaches to an old ${what} over a new connection confirms in it`, async () => {
      const env = "SCREENDIR=/run/screen";
      await host.shell("mkdir -p -m 700 /run/screen");
      const old = await login();
      await old.say(`${env} ${create}`);
      await seawall.ok("apply", await seawall.policy(inbound("ssh from any", "9001 from any")));
      const refused = await typed(host, what, CONFIRM);
      assert.equal(refused.code, 2, refused.text);
      const client = host.upstream.start(
        host.ssh.argv(`TERM=xterm ${env} ${attach}`, { from: OPERATOR, args: ["-tt"] }),
      );
      try {
        const attached = async () => (await host.run(["pgrep", "-x", "-f", attach])).code;
        assert.equal(await eventually(attached, 0, 30_000), 0, "nobody attached");
        const confirmed = async () => (await typed(host, what, CONFIRM)).code;
        assert.equal(await eventually(confirmed, 0, 60_000), 0);
      } finally {
        client.kill("SIGKILL");
        await host.run(["sh", "-c", `${env} ${remove}`]);
      }
    });
  }
});

/** Types `command` into tmux session `work` and waits for its end. */
async function inTmux(host: Host, command: string): Promise<Said> {
  return typed(host, "tmux", command);
}

/** Types `command` into the session `work` of tmux or screen and waits for its end. */
async function typed(host: Host, what: "tmux" | "screen", command: string): Promise<Said> {
  await host.shell("rm -f /run/tmp/said /run/tmp/code");
  const line = `{ ${command}; } >/run/tmp/said 2>&1; echo $? >/run/tmp/code`;
  const keys =
    what === "tmux"
      ? ["tmux", "-L", "impostor", "send-keys", "-t", "work", line, "Enter"]
      : [
          "env",
          "SCREENDIR=/run/screen",
          "screen",
          "-S",
          "work",
          "-p",
          "0",
          "-X",
          "stuff",
          `${line.replaceAll("$", "\\$")}\n`,
        ];
  await host.run(keys);
  const ended = async () => (await host.run(["test", "-s", "/run/tmp/code"])).code;
  assert.equal(await eventually(ended, 0, 60_000), 0, `the command in ${what} did not end`);
  return { code: Number(await host.shell("cat /run/tmp/code")), text: await host.shell("cat /run/tmp/said") };
}
