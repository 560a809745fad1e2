// The kernel judges a number, people name a user: when passwd or subuid change, nobody is told that all is well.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { startDaemon } from "../../support/host/daemon.ts";
import { eventually } from "../../support/host/eventually.ts";
import { type Host, startHost } from "../../support/host/host.ts";
import { restart } from "../../support/host/restart.ts";
import { type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";

const policy = (user: string, mode = "enforce", to = "198.51.100.7") => `version: 1
mode: {inbound: observe, outbound: ${mode}}
scopes: {agent: {user: ${user}}}
inbound: []
outbound:
  - {id: one, allow: ${to}, port: 443, why: a rule of this test}
`;

interface Alarmed {
  readonly state: string;
  readonly containment: string;
  readonly alarms: readonly { readonly scope: string; readonly said: string; readonly help: string }[];
}

describe("who a scope is changes after it was applied", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    await host.shell("cp /etc/passwd /run/passwd; touch /etc/subuid; cp /etc/subuid /run/subuid");
  });
  after(() => host.stop());
  beforeEach(() => accounts("rtbot:x:54400:54400::/nonexistent:/bin/sh", "rtbot:300000:65536"));
  afterEach(async () => {
    await accounts("rtbot:x:54400:54400::/nonexistent:/bin/sh", "rtbot:300000:65536");
    await seawall.run("rollback");
    await seawall.run("down");
  });

  const accounts = (user: string, subuid: string) =>
    host.shell(
      `{ cat /run/passwd; echo '${user}'; } >/etc/passwd; { cat /run/subuid; echo '${subuid}'; } >/etc/subuid`,
    );
  const status = async () => JSON.parse(await seawall.ok("status", "--json")) as Alarmed;
  const assertAlarm = async (words: RegExp, state = "enforcing") => {
    const [found, screen] = [await status(), await seawall.ok("status")];
    assert.match(found.alarms.map(({ said }) => said).join("\n"), words);
    assert.equal(found.state, state);
    assert.notEqual(found.containment, "contained");
    assert.match(screen, /^ALARM /);
    assert.doesNotMatch(screen, /^CONTAINED/m);
    for (const line of screen.split("\n").filter((one) => /^ALARM| {15}/.test(one)))
      assert.ok(line.length <= 80, line);
  };
  const assertQuiet = async () => {
    assert.deepEqual((await status()).alarms, []);
    assert.doesNotMatch(await seawall.ok("status"), /ALARM/);
  };

  const ROWS: readonly { what: string; user: string; subuid: string; words: RegExp }[] = [
    {
      what: "made anew with another uid",
      user: "rtbot:x:54401:54401::/nonexistent:/bin/sh",
      subuid: "rtbot:300000:65536",
      words: /scope agent: user rtbot is uid 54401 now, the kernel judges uids 54400, 300000-365535/,
    },
    {
      what: "deleted",
      user: "somebody:x:54400:54400::/nonexistent:/bin/sh",
      subuid: "",
      words: /there is no user rtbot any more; the kernel judges uids 54400/,
    },
    {
      what: "given more subordinate uids",
      user: "rtbot:x:54400:54400::/nonexistent:/bin/sh",
      subuid: "rtbot:300000:65536\nrtbot:500000:65536",
      words: /uids 500000-565535 belong to user rtbot now/,
    },
    {
      what: "given subordinate uids under its number",
      user: "rtbot:x:54400:54400::/nonexistent:/bin/sh",
      subuid: "rtbot:300000:65536\n54400:700000:10",
      words: /uids 700000-700009 belong to user rtbot now/,
    },
    {
      what: "moved to other subordinate uids",
      user: "rtbot:x:54400:54400::/nonexistent:/bin/sh",
      subuid: "rtbot:400000:65536",
      words: /uids 400000-465535 belong to user rtbot now/,
    },
    {
      what: "left without its subordinate uids",
      user: "rtbot:x:54400:54400::/nonexistent:/bin/sh",
      subuid: "",
      words: /judges uids 300000-365535 as user rtbot, which has them no longer/,
    },
  ];
  for (const { what, user, subuid, words } of ROWS) {
    it(`its user is ${what}: an alarm, and no word of contained; as it was before: none`, async () => {
      await seawall.enforce(policy("rtbot"));
      await assertQuiet();
      await accounts(user, subuid);
      await assertAlarm(words);
      await accounts("rtbot:x:54400:54400::/nonexistent:/bin/sh", "rtbot:300000:65536");
      await assertQuiet();
    });
  }

  it("it is an alarm after a start, too, and the next apply ends it", async () => {
    await seawall.enforce(policy("rtbot"));
    await accounts("rtbot:x:54401:54401::/nonexistent:/bin/sh", "");
    await restart(host);
    await assertAlarm(/is uid 54401 now/);
    await seawall.enforce(policy("rtbot"));
    await assertQuiet();
  });

  it("seawalld says it within seconds, once, and that it is over", async () => {
    await seawall.enforce(policy("rtbot"));
    const daemon = await startDaemon(host);
    await accounts("rtbot:x:54401:54401::/nonexistent:/bin/sh", "");
    const said = (words: RegExp) => async () => words.test(daemon.said());
    assert.ok(await eventually(said(/ALARM: scope agent: user rtbot is uid 54401 now/), true, 60_000));
    await accounts("rtbot:x:54400:54400::/nonexistent:/bin/sh", "rtbot:300000:65536");
    assert.ok(await eventually(said(/again who the kernel takes them for|takes for them/), true, 60_000));
    assert.equal(daemon.said().match(/ALARM/g)?.length, 1);
    await daemon.kill();
  });

  it("a scope by number is that number, whoever has the name; its subordinate uids are compared", async () => {
    await seawall.enforce(policy("54400"));
    await assertQuiet();
    await accounts("another:x:54400:54400::/nonexistent:/bin/sh", "54400:300000:65536");
    await assertQuiet();
    await accounts("another:x:54400:54400::/nonexistent:/bin/sh", "another:800000:65536");
    await assertAlarm(/uids 800000-865535 belong to user 54400 now/);
  });

  it("a passwd that names nobody is no proof that the user is gone", async () => {
    await seawall.enforce(policy("rtbot"));
    await host.shell(": >/etc/passwd");
    await assertAlarm(/who user rtbot is cannot be told/);
  });

  it("the gates are judged by their uid, too", async () => {
    await seawall.ok("apply", await seawall.policy(policy("rtbot", "observe", "api.example.org")));
    await assertQuiet();
    await accounts(
      "rtbot:x:54400:54400::/nonexistent:/bin/sh\nseawall-gate:x:54402:54402::/:/bin/sh",
      "rtbot:300000:65536",
    );
    await assertAlarm(
      /scope seawall-gate: user seawall-gate is uid 54402 now, the kernel judges uid 64953/,
      "pending",
    );
  });

  it("a policy that is only watched, and a change that waits, are compared as well", async () => {
    await seawall.enforce(policy("rtbot"));
    await seawall.ok("apply", await seawall.policy(policy("rtbot", "observe")));
    await accounts("rtbot:x:54401:54401::/nonexistent:/bin/sh", "");
    await assertAlarm(/is uid 54401 now/, "pending");
  });
});
