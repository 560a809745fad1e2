// What `status` says of containment, directions, the file and the last change belongs to what the kernel holds now.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { restart } from "../support/host/restart.ts";
import { type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const FILE = "/etc/seawall/policy.yaml";
const STATE = "/var/lib/seawall";
const LEASE_END_MS = 30_000;
/** `free` may become root by sudo, `held` is nobody but itself. */
const policyFor = (
  user: string,
  mode = "{inbound: enforce, outbound: enforce}",
  rest = "",
): string => `version: 1
mode: ${mode}
scopes: {agent: {user: ${user}}}
inbound:
  - {id: ssh, allow: ssh, from: any, why: a rule of this test}
outbound:
  - {id: site, allow: 192.0.2.1, port: 443, why: a rule of this test}
${rest}accept_risk:
  - {scope: agent, reason: the agent of this test is no more than a uid, by: me, expires: 2099-01-01}
`;
const FREE = policyFor("free");
const HELD = policyFor("held");
const OBSERVE = "{inbound: enforce, outbound: observe}";

/** Evidence with paths, and a line to paste: both stay on one line. */
const OF_ONE_PIECE = /^( {2}agent: |Next)/;

interface Said {
  readonly state: string;
  readonly inbound: string;
  readonly outbound: string;
  readonly containment: string;
  readonly containmentSeen: object | null;
  readonly policy: { readonly id: number } | null;
  readonly lastChange: { readonly id: number; readonly how: string | null } | null;
  readonly files: readonly {
    readonly path: string;
    readonly state: string;
    readonly changes: number | null;
  }[];
}

describe("status", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    await host.shell(`
      echo 'free:x:4300:4300::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
      echo 'held:x:4301:4301::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
      mkdir -p /etc/sudoers.d; echo 'free ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/free; chmod 440 /etc/sudoers.d/free
      [ -e /etc/sudoers ] || echo '@includedir /etc/sudoers.d' >/etc/sudoers`);
  });
  after(() => host.stop());
  beforeEach(async () => {
    await seawall.run("panic", "--off");
    await seawall.ok("down");
    await host.shell(`rm -rf /etc/seawall ${STATE}; mkdir -p /etc/seawall`);
  });

  const file = (text: string, path = FILE) => host.shell(`cat >${path}`, { input: text });
  const applied = async (text: string) => {
    await file(text);
    await seawall.ok("apply");
  };
  const confirmed = async (text: string) => {
    await applied(text);
    await seawall.ok("confirm", "--console");
  };
  const said = async () => (await seawall.status()) as unknown as Said;
  const screen = () => seawall.ok("status");
  const first = async () => (await screen()).split("\n")[0] ?? "";
  const grade = async () => (await said()).containment;

  describe("says how the agent of the policy in force is contained", () => {
    for (const [name, inForce, candidate, expected] of [
      ["NOT CONTAINED, although the candidate", FREE, HELD, "not-contained"],
      ["CONTAINED, although the candidate", HELD, FREE, "contained"],
    ] as const) {
      it(`${name} was another and was rolled back`, async () => {
        await confirmed(inForce);
        assert.equal(await grade(), expected);
        await applied(candidate);
        assert.notEqual(await grade(), expected, "on trial, the candidate's");
        await seawall.ok("rollback");
        assert.equal(await grade(), expected);
      });

      it(`${name} was another and ran out`, async () => {
        await confirmed(inForce);
        await file(candidate);
        await seawall.ok("apply", "--confirm-within", "5s");
        assert.equal(await eventually(grade, expected, LEASE_END_MS), expected);
        assert.equal((await said()).state, "enforcing");
      });
    }

    it("of a second policy file, once that is in force", async () => {
      await confirmed(FREE);
      await host.shell(`cat >/run/other.yaml`, { input: HELD });
      await seawall.ok("apply", "/run/other.yaml");
      await seawall.ok("confirm", "--console");
      assert.equal(await grade(), "contained");
      assert.match(await screen(), /^in force +history 2, from \/run\/other\.yaml$/m);
    });

    it("in a panic, after it, in a pause, after it, and after a start", async () => {
      await confirmed(FREE);
      const steps: [name: string, words: readonly string[] | null][] = [
        ["panic", ["panic"]],
        ["panic --off", ["panic", "--off"]],
        ["pause", ["pause", "--for", "10m"]],
        ["pause --off", ["pause", "--off"]],
        ["start", null],
      ];
      for (const [name, words] of steps) {
        if (words === null) assert.equal((await restart(host)).code, 0);
        else await seawall.ok(...words);
        assert.equal(await grade(), "not-contained", name);
      }
    });

    it("by looking itself where only a record of 0.1.0 is, which names no policy", async () => {
      await confirmed(FREE);
      const old = '{"examinedMs": 1, "scopes": [{"scope": "agent", "grade": "contained", "reasons": []}]}';
      await file(old, `${STATE}/containment.json`);
      assert.equal(await grade(), "not-contained");
      await file(old.replace("1,", `${Date.now()},`), `${STATE}/containment.json`);
      assert.equal(await grade(), "not-contained");
    });

    it("as it is now, where the last look is more than a day old", async () => {
      await confirmed(HELD);
      await host.shell(`sed -i 's/"examinedMs":[0-9]*/"examinedMs":1/' ${STATE}/containment.json`);
      await host.shell(
        "echo 'held ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/held; chmod 440 /etc/sudoers.d/held",
      );
      try {
        assert.equal(await grade(), "not-contained");
      } finally {
        await host.shell("rm /etc/sudoers.d/held");
      }
    });

    it("as not known where nobody can tell what is in force", async () => {
      await confirmed(HELD);
      await host.shell(`rm -r ${STATE}`);
      const { containment, containmentSeen } = await said();
      assert.deepEqual([containment, containmentSeen], ["unknown", null]);
      assert.match(await screen(), /^UNKNOWN +whether the agent is contained was not looked at/m);
    });
  });

  describe("begins with the weaker direction", () => {
    for (const [mode, word, inbound, outbound] of [
      ["{inbound: enforce, outbound: enforce}", /^CONTAINED /, "enforced", "enforced"],
      [OBSERVE, /^WATCHING ONLY {2}the agent still reaches everything$/, "enforced", "observed"],
      [
        "{inbound: observe, outbound: enforce}",
        /^WATCHING ONLY {2}the world still reaches/,
        "observed",
        "enforced",
      ],
      ["observe", /^WATCHING ONLY {2}the agent still reaches everything$/, "observed", "observed"],
    ] as const) {
      it(`in mode ${mode}`, async () => {
        await confirmed(policyFor("held", mode));
        assert.match(await first(), word);
        const found = await said();
        assert.deepEqual([found.inbound, found.outbound], [inbound, outbound]);
      });
    }

    it("where the policy has no outbound at all", async () => {
      await confirmed(
        "version: 1\nmode: enforce\ninbound:\n  - {allow: ssh, from: any, why: a rule of this test}\n",
      );
      assert.match(await first(), /^NOT JUDGED +what the agent sends is not looked at/);
      assert.match(await screen(), /^inbound +ENFORCED$/m);
      assert.doesNotMatch(await screen(), /CONTAINED/);
      assert.equal((await said()).outbound, "not-judged");
    });

    it("in a pause, with its end; in a panic; after a rescue", async () => {
      await confirmed(HELD);
      await seawall.ok("pause", "--for", "10m");
      assert.match(
        await first(),
        /^PAUSED until \d\d:\d\d \(9 min left\): the agent reaches everything meanwhile$/,
      );
      assert.equal((await said()).outbound, "observed");
      await seawall.ok("panic");
      assert.match(await first(), /^PANIC +the agents reach nothing/);
      assert.match(await screen(), /until `sudo seawall panic --off`, also after a reboot$/m);
    });

    it("and says how many rules are of another mode", async () => {
      const deny = "  - {id: watched, deny: 192.0.2.9, mode: observe, why: a rule of this test}\n";
      await confirmed(policyFor("held", "enforce", deny));
      assert.match(await screen(), /^own mode +outbound: 1 deny rule only watches$/m);
      await confirmed(policyFor("held", OBSERVE, deny.replace("observe", "enforce")));
      assert.match(await first(), /reaches everything but what enforced denies name$/);
    });

    it("on a screen of 80 columns", async () => {
      await confirmed(FREE);
      for (const text of [FREE, policyFor("free", OBSERVE), policyFor("free", "observe")]) {
        await applied(text);
        const lines = (await screen()).split("\n").filter((line) => !OF_ONE_PIECE.test(line));
        assert.deepEqual(
          lines.filter((line) => line.length > 80),
          [],
        );
        await seawall.ok("rollback");
      }
    });
  });

  describe("says when the file and the kernel differ", () => {
    it("by how many changes, and not by a comment or a reason", async () => {
      await confirmed(HELD);
      await file(`# a comment\n${HELD.replace("a rule of this test", "another reason of this test")}`);
      assert.doesNotMatch(await screen(), /^file/m);
      assert.equal((await said()).files[0]?.state, "same");
      await file(
        policyFor("held", OBSERVE, "  - {id: two, allow: 192.0.2.2, port: 443, why: a rule of this test}\n"),
      );
      assert.match(
        await screen(),
        /^file +2 changes not in force \(sudo seawall apply\)\n +\+1 rule; outbound enforce -> OBSERVE$/m,
      );
    });

    it("in a drop-in, and in a file of prefixes", async () => {
      const sets = `sets: {office: {file: office.txt}}\n`;
      await file("203.0.113.0/24\n", "/etc/seawall/office.txt");
      await confirmed(`${HELD}${sets}`.replace("from: any", "from: office"));
      assert.doesNotMatch(await screen(), /^file/m);
      await file("203.0.113.0/25\n", "/etc/seawall/office.txt");
      assert.match(await screen(), /^file +1 change not in force/m);
      await file("203.0.113.0/24\n", "/etc/seawall/office.txt");
      await host.shell("mkdir -p /etc/seawall/policy.d");
      await file(
        "version: 1\ninbound:\n  - {allow: 8082, from: any, why: a rule of this test}\n",
        "/etc/seawall/policy.d/a.yaml",
      );
      assert.match(await screen(), /^file +1 change not in force/m);
    });

    it("after a rollback, and says which change was taken back", async () => {
      await confirmed(HELD);
      await applied(policyFor("held", OBSERVE));
      await seawall.ok("rollback");
      const text = await screen();
      assert.match(text, /^file +1 change not in force/m);
      assert.match(
        text,
        /^last change +history 2 \(root, \d\d:\d\d\) was taken back before it was confirmed$/m,
      );
      await confirmed(HELD);
      assert.doesNotMatch(await screen(), /^last change/m);
    });

    it("after a trial that ran out, also the very first one", async () => {
      await file(HELD);
      await seawall.ok("apply", "--confirm-within", "5s");
      const state = async () => (await said()).state;
      assert.equal(await eventually(state, "off", LEASE_END_MS), "off");
      assert.match(await screen(), /^last change +history 1 \(root, \d\d:\d\d\) was not confirmed/m);
      assert.equal((await said()).lastChange?.id, 1);
    });

    it("of the one that was applied from elsewhere, and says that the file is not there", async () => {
      await file(HELD, "/run/away.yaml");
      await seawall.ok("apply", "/run/away.yaml");
      await seawall.ok("confirm", "--console");
      assert.doesNotMatch(await screen(), /^file/m);
      await file(FREE);
      assert.match(
        await screen(),
        /^file +1 change not in force \(sudo seawall apply\)\n +scope agent: user held -> user free$/m,
      );
      await host.shell("rm /run/away.yaml");
      assert.match(await screen(), /^file +\/run\/away\.yaml is not there;$/m);
    });
  });

  it("says nothing in the present tense of what was put back, and nothing of alarms where nothing is in force", async () => {
    await confirmed(HELD);
    const last = {
      at: new Date().toISOString(),
      what: "our table is gone from the kernel; nothing is enforced",
      by: "nft (pid 2291, started by sh)",
      outcome: "healed",
      damage: "table",
      afterMs: 120,
    };
    await file(JSON.stringify({ healed: 1, alarm: true, last, others: [] }), "/run/seawall/drift.json");
    assert.match(
      await screen(),
      /^changed +\d\d:\d\d nft \(pid 2291, started by sh\) deleted our table; put back after 0\.1 s$/m,
    );
    await seawall.ok("down");
    assert.doesNotMatch(await screen(), /changed|ALARM/);
  });
});
