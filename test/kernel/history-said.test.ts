// What `history`, `apply`, `confirm` and `rollback` say a change was, and what becomes of the file.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const FILE = "/etc/seawall/policy.yaml";
const STATE = "/var/lib/seawall";
const ONE = inbound("ssh from any");
const TWO = inbound("ssh from any", "9000 from any");
const OBSERVED = TWO.replace("mode: enforce", "mode: {inbound: observe, outbound: enforce}");
const WORLD4 = "45.33.32.156";

interface Entry {
  readonly id: number;
  readonly kind: string;
  readonly change: string;
  readonly inForce: boolean;
}

describe("a change", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    await host.listen(9000);
  });
  after(() => host.stop());
  beforeEach(async () => {
    await seawall.run("panic", "--off");
    await seawall.ok("down");
    await host.shell(`rm -rf /etc/seawall ${STATE}; mkdir -p /etc/seawall`);
  });

  const file = (text: string, path = FILE) => host.shell(`cat >${path}`, { input: text });
  const read = (path = FILE) => host.shell(`cat ${path}`);
  const confirmed = async (text: string) => {
    await file(text);
    await seawall.ok("apply");
    await seawall.ok("confirm", "--console");
  };
  const entries = async () =>
    (JSON.parse(await seawall.ok("history", "--json")) as { entries: readonly Entry[] }).entries;

  it("is said in one line by apply, its dry run, confirm and rollback", async () => {
    await file(ONE);
    assert.match(
      await seawall.ok("apply"),
      /^change: 1 rule; inbound enforce, outbound not judged; nothing was in force$/m,
    );
    await seawall.ok("confirm", "--console");
    await file(OBSERVED);
    const words = /^change: \+1 rule; inbound enforce -> OBSERVE$/m;
    assert.match(await seawall.ok("apply", "--dry-run"), words);
    const said = await seawall.ok("apply");
    assert.match(said, words);
    assert.match(said, /^on trial: history 2, for 60 s unless confirmed$/m);
    assert.match(
      await seawall.ok("rollback"),
      /^rolled back: history 1 is in force again\nchange: -1 rule; inbound observe -> enforce$/m,
    );
    await seawall.ok("apply");
    assert.match(await seawall.ok("confirm", "--console"), words);
    for (const text of [said]) assert.doesNotMatch(text, /generation/);
  });

  it("has its kind, its words and its mark in the history, in 80 columns", async () => {
    await confirmed(ONE);
    await confirmed(TWO);
    await file(ONE);
    await seawall.ok("apply");
    await seawall.ok("rollback");
    await seawall.ok("panic");
    await seawall.ok("panic", "--off");
    await seawall.ok("rollback", "1");
    await seawall.ok("confirm", "--console");
    const found = await entries();
    assert.deepEqual(
      found.map(({ id, kind, change, inForce }) => [id, kind, change, inForce]),
      [
        [1, "apply", "1 rule; inbound enforce, outbound not judged", false],
        [2, "apply", "+1 rule", false],
        [3, "apply", "-1 rule", false],
        [4, "panic", "the agents cut off, nothing but SSH comes in", false],
        [5, "panic off", "history 2 again", false],
        [6, "rollback", "history 1 again: -1 rule", true],
      ],
    );
    const table = await seawall.ok("history");
    assert.match(table, /^ +3 .* TAKEN BACK: -1 rule$/m);
    assert.match(table, /^> +6 +\d\d:\d\d +root +rollback +enf\/enf +history 1 again: -1 rule$/m);
    assert.deepEqual(
      table.split("\n").filter((line) => line.length > 80),
      [],
    );
  });

  it("is shown by its number with its difference, drop-ins too; another number is not found", async () => {
    await confirmed(ONE);
    await host.shell("mkdir /etc/seawall/policy.d");
    await file(
      "version: 1\ninbound:\n  - {allow: 8082, from: any, why: a rule of this test}\n",
      "/etc/seawall/policy.d/a.yaml",
    );
    await confirmed(TWO);
    const shown = await seawall.ok("history", "2");
    assert.match(shown, /^history 2, in force$/m);
    assert.match(shown, /^change {2}\+2 rules$/m);
    assert.match(shown, /^difference to history 1:\n--- policy\.yaml\n@@ [^]*^\+ {2}- allow: 9000$/m);
    assert.match(shown, /^--- policy\.d\/a\.yaml \(new\)$/m);
    const none = await seawall.run("history", "9");
    assert.deepEqual([none.code, none.stdout], [3, ""]);
  });

  it("of an older version is still shown, and what nobody wrote down is said not to be known", async () => {
    await confirmed(ONE);
    const entry = `${STATE}/history/000001.json`;
    await host.shell(
      `sed -i 's/"how":"apply",//; s/"ownModes":.*}}/"by":"root"}/' ${entry}; rm ${STATE}/history/000001.resolved`,
    );
    assert.deepEqual(
      (await entries()).map(({ kind, change }) => [kind, change]),
      [["unknown", "what it changed is not kept"]],
    );
    assert.match(await seawall.ok("history", "1"), /^kind +not known/m);
  });

  it("that is confirmed names the connections that it ended", async () => {
    await confirmed(TWO);
    const open = await host.upstream.open({ from: WORLD4, to: HOST4, port: 9000 });
    assert.equal(await open.exchange(), "echoed");
    await file(ONE);
    await seawall.ok("apply");
    const said = await seawall.ok("confirm", "--console");
    assert.match(
      said,
      /^ended: 1 open connection that the policy forbids\n {2}tcp 45\.33\.32\.156:\d+ -> 203\.0\.113\.10:9000$/m,
    );
  });

  describe("that is rolled back without a terminal", () => {
    it("stays in the file, which is said with the command that takes it out", async () => {
      await confirmed(ONE);
      await file(TWO);
      await seawall.ok("apply");
      const { stderr } = await seawall.run("rollback");
      assert.match(stderr, /^file: \/etc\/seawall\/policy\.yaml is not what is in force/m);
      assert.match(stderr, /^Next: sudo seawall history 1 --put-back$/m);
      assert.equal(await read(), TWO);
    });

    it("leaves the file by that command, and what stood there is kept", async () => {
      await confirmed(ONE);
      await host.shell("mkdir /etc/seawall/policy.d; chmod 644 /etc/seawall/policy.yaml");
      await file(
        "version: 1\ninbound:\n  - {allow: 8082, from: any, why: a rule of this test}\n",
        "/etc/seawall/policy.d/a.yaml",
      );
      await file(TWO);
      await seawall.ok("apply");
      await seawall.run("rollback");
      const said = await seawall.ok("history", "1", "--put-back");
      assert.equal(await read(), ONE);
      const kept = [...said.matchAll(/what stood there is in (\S+)/g)].map(([, path]) => path ?? "");
      assert.equal(kept.length, 2, said);
      assert.equal(await read(kept.find((path) => path.startsWith(`${FILE}.`))), TWO);
      assert.match(await read(kept.find((path) => path.includes("/policy.d/a.yaml."))), /8082/);
      assert.doesNotMatch(await seawall.ok("status"), /^file/m, "no drop-in is left that counts");
      assert.match(await host.shell(`stat -c %a ${FILE}`), /^644$/m);
    });

    it("is not written where somebody else may lay a link for root to follow", async () => {
      await host.shell("mkdir -p /run/theirs; chown 65534 /run/theirs");
      await file(ONE, "/run/theirs/policy.yaml");
      await seawall.ok("apply", "/run/theirs/policy.yaml");
      await seawall.ok("confirm", "--console");
      await host.shell("echo keep >/etc/kept; ln -sf /etc/kept /run/theirs/policy.yaml");
      const result = await seawall.run("history", "1", "--put-back");
      assert.equal(result.code, 2);
      assert.match(result.stderr, /no place for root to write: .*belongs to uid 65534/);
      assert.equal(await read("/etc/kept"), "keep\n");
    });

    it("says nothing of a file that is as before", async () => {
      await confirmed(ONE);
      await file(TWO, "/run/other.yaml");
      await seawall.ok("apply", "/run/other.yaml");
      const { stderr } = await seawall.run("rollback");
      assert.doesNotMatch(stderr, /put-back/);
    });
  });
});
