// `confirm --console` is for whoever sits at the machine; it must not be the way around the proof that ssh works.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { SEAWALL_WORDS, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";
import { type Session, openSession } from "../support/host/session.ts";

const OPERATOR = "198.51.100.7";
const CONFIRM = `${SEAWALL_WORDS} confirm`;

describe("confirm --console", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  const sessions: Session[] = [];
  const login = async () => {
    const opened = await openSession(host, { from: OPERATOR });
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
    seawall.ok("apply", await seawall.policy(inbound("ssh from any", "9000 from any")));

  for (const [name, away] of [
    ["typed into an old connection", ""],
    ["typed into an old connection and sent to the background", "setsid -w"],
    ["typed into an old connection and cut loose from it", "setsid -f"],
  ] as const) {
    it(`${name} is refused`, async () => {
      const old = await login();
      await propose();
      await old.say(
        `rm -f /run/tmp/said; ${away} sh -c '${CONFIRM.replaceAll("'", "")} --console; echo ended $?' >/run/tmp/said 2>&1`,
      );
      const ended = async () => /^ended \d+$/m.test(await host.shell("cat /run/tmp/said"));
      assert.ok(await eventually(ended, true), "the command did not end");
      assert.match(await host.shell("cat /run/tmp/said"), /SEAWALL_NOT_CONFIRMED[\s\S]*ended 2/);
      assert.equal((await seawall.status()).state, "pending");
    });
  }

  it("is refused while somebody is logged in over the network and there is no local terminal", async () => {
    await login();
    await propose();
    const result = await seawall.run("confirm", "--console");
    assert.equal(result.code, 2, result.stdout);
    assert.match(result.stderr, /SEAWALL_NOT_CONFIRMED/);
    assert.equal((await seawall.status()).state, "pending");
  });

  it("works where nobody is logged in, and says that it proves nothing about ssh", async () => {
    await propose();
    const result = await seawall.run("confirm", "--console");
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout + result.stderr, /proves nothing about SSH/i);
    assert.equal((await seawall.status()).state, "enforcing");
  });
});
