// A confirm is a proof that the operator can still get in: only a connection that began after apply gives it.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { SEAWALL_WORDS, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";
import { type Said, type Session, openSession } from "../support/host/session.ts";

const OPERATOR = "198.51.100.7";
const CONFIRM = `${SEAWALL_WORDS} confirm`;
const CONTROL = ["-o", "ControlPath=/run/ssh-client/control"];
const TUNNEL_PORT = 2022;

describe("confirm over ssh", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  const sessions: Session[] = [];
  const session = async (
    ...args: Parameters<typeof openSession> extends [Host, ...infer Rest] ? Rest : never
  ) => {
    const opened = await openSession(host, ...args);
    sessions.push(opened);
    return opened;
  };

  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
    await seawall.enforce(inbound("ssh from any"));
  });
  after(() => host.stop());
  afterEach(async () => {
    for (const open of sessions.splice(0)) open.close();
    await seawall.withdraw();
  });

  const propose = async () =>
    seawall.ok(
      "apply",
      await seawall.policy(inbound("ssh from any", "9000 from any")),
      "--confirm-within",
      "60s",
    );

  const stillPending = async (said: { readonly code: number | null; readonly text: string }) => {
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_NOT_CONFIRMED/);
    assert.match(said.text, /ControlPath=none|log in anew/, "the error names the cure");
    assert.equal((await seawall.status()).state, "pending");
  };

  it("counts over a connection that began after apply", async () => {
    await propose();
    const result = await host.ssh.run(CONFIRM, { from: OPERATOR });
    assert.equal(result.code, 0, result.stderr);
    const { state, confirmBy } = await seawall.status();
    assert.deepEqual({ state, confirmBy }, { state: "enforcing", confirmBy: null });
  });

  it("counts under sudo over a connection that began after apply", async () => {
    await propose();
    const result = await host.ssh.run(`sudo -n ${CONFIRM}`, { from: OPERATOR, user: "operator" });
    assert.equal(result.code, 0, result.stderr);
    assert.equal((await seawall.status()).state, "enforcing");
  });

  it("does not count over the connection that was there before apply", async () => {
    const old = await session({ from: OPERATOR });
    await propose();
    await stillPending(await old.say(CONFIRM));
  });

  it("does not count under sudo over the connection that was there before apply", async () => {
    const old = await session({ from: OPERATOR, user: "operator" });
    await propose();
    await stillPending(await old.say(`sudo -n ${CONFIRM}`));
  });

  it("does not count over the connection that ran apply", async () => {
    const old = await session({ from: OPERATOR });
    const path = await seawall.policy(inbound("ssh from any", "9000 from any"));
    const applied = await old.say(`${SEAWALL_WORDS} apply ${path}`);
    assert.equal(applied.code, 0, applied.text);
    await stillPending(await old.say(CONFIRM));
  });

  it("does not count over ControlMaster, and does with ControlPath=none", async () => {
    const master = host.upstream.start(host.ssh.argv("", { args: [...CONTROL, "-M", "-N"] }));
    try {
      const check = async () => (await host.ssh.run("", { args: [...CONTROL, "-O", "check"] })).code;
      assert.equal(await eventually(check, 0), 0);
      await propose();
      const shared = await host.ssh.run(CONFIRM, { args: CONTROL });
      await stillPending({ code: shared.code, text: shared.stdout + shared.stderr });
      const fresh = await host.ssh.run(CONFIRM, { args: ["-o", "ControlPath=none"] });
      assert.equal(fresh.code, 0, fresh.stderr);
    } finally {
      master.kill("SIGKILL");
    }
  });

  for (const [name, far] of [
    ["to localhost", "127.0.0.1:22"],
    ["to the host's own address", `${HOST4}:22`],
  ] as const) {
    it(`does not count through a tunnel ${name} inside an old connection`, async () => {
      await session({ from: OPERATOR, args: ["-L", `127.0.0.1:${TUNNEL_PORT}:${far}`] });
      await propose();
      const through = await host.ssh.run(CONFIRM, { to: "127.0.0.1", port: TUNNEL_PORT });
      await stillPending({ code: through.code, text: through.stdout + through.stderr });
    });
  }

  it("does not count from `ssh localhost` typed into an old connection", async () => {
    const old = await session({ from: OPERATOR });
    await propose();
    const inner = host.ssh
      .argv(CONFIRM, { to: "127.0.0.1" })
      .map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    await stillPending(await old.say(inner.join(" ")));
  });

  it("does not count from a tmux that was left by an old connection", async () => {
    const old = await session({ from: OPERATOR });
    await old.say("tmux -L confirm new-session -d -s work");
    await propose();
    const said = await inTmux(host, CONFIRM);
    await old.say("tmux -L confirm kill-server");
    await stillPending(said);
  });

  it("from a program outside any login is refused and names --console", async () => {
    await propose();
    const result = await seawall.run("confirm");
    assert.equal(result.code, 2, result.stdout);
    assert.match(result.stderr, /--console/);
    assert.equal((await seawall.status()).state, "pending");
  });

  it("with nothing to confirm says so and changes nothing", async () => {
    const earlier = await host.seawallTable();
    const result = await host.ssh.run(CONFIRM, { from: OPERATOR });
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /SEAWALL_NOTHING_PENDING/);
    assert.equal(await host.seawallTable(), earlier);
  });
});

/** Types `command` into the tmux session `work` and waits for its end. */
async function inTmux(host: Host, command: string): Promise<Said> {
  await host.shell("rm -f /run/tmp/said /run/tmp/code");
  const line = `{ ${command}; } >/run/tmp/said 2>&1; echo $? >/run/tmp/code`;
  await host.run(["tmux", "-L", "confirm", "send-keys", "-t", "work", line, "Enter"]);
  const ended = async () => (await host.run(["test", "-s", "/run/tmp/code"])).code;
  assert.equal(await eventually(ended, 0, 30_000), 0, "the command in tmux did not end");
  return { code: Number(await host.shell("cat /run/tmp/code")), text: await host.shell("cat /run/tmp/said") };
}
