// What `explain` says is what the kernel does: on the wire, beside a file that says something else.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { runShipped } from "../support/host/restart.ts";
import { SEAWALL, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

const WORLD4 = "45.33.32.156";
const PORT = 9000;
const FLOW = [WORLD4, String(PORT)];
const FILE = "/etc/seawall/policy.yaml";
const OPEN = inbound("ssh from any", `${PORT} from any`);
const SHUT = inbound("ssh from any");
const LEASE_END_MS = 30_000;

interface Said {
  readonly verdict: string | null;
  readonly inForce: {
    readonly history: number | null;
    readonly state: string;
    readonly verdict: string | null;
  } | null;
  readonly draft: { readonly path: string; readonly verdict: string | null } | null;
}

describe("explain", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, PORT]) await host.listen(port);
  });
  after(() => host.stop());
  beforeEach(async () => {
    await host.shell("rm -rf /etc/seawall /var/lib/seawall; mkdir -p /etc/seawall");
    await seawall.run("panic", "--off");
    await seawall.ok("down");
  });

  const file = (text: string, path = FILE) =>
    host.shell(`mkdir -p "$(dirname ${path})"; cat >${path}`, { input: text });
  const confirmed = async (text: string) => {
    await file(text);
    await seawall.ok("apply");
    await seawall.ok("confirm", "--console");
  };
  const words = (...more: readonly string[]) => seawall.ok("explain", ...FLOW, ...more);
  const json = async (...more: readonly string[]) => JSON.parse(await words("--json", ...more)) as Said;
  const wire = () => host.upstream.connect({ from: WORLD4, to: HOST4, port: PORT });

  it("says what is in force, and apart from it what a file that is not applied would say", async () => {
    await confirmed(OPEN);
    await file(SHUT);
    const said = await words();
    assert.match(said, /^in force \(history 1\)\n.* is accepted\.\nRule allow-9000 \(line \d+\) allows it/);
    assert.match(said, /^the file on disk would say \(not applied: sudo seawall apply\): \/etc\/seawall/m);
    assert.match(said, /^ {2}.* is refused/m);
    assert.equal(await wire(), "connected");
    const { verdict, inForce, draft } = await json();
    assert.deepEqual(
      [verdict, inForce?.history, inForce?.verdict, draft?.verdict],
      ["accept", 1, "accept", "refuse"],
    );
  });

  it("says nothing of a file that says the same", async () => {
    await confirmed(OPEN);
    await file(`# a comment above, so that every line moves\n\n${OPEN}`);
    const said = await words();
    assert.doesNotMatch(said, /on disk/);
    const line = Number(/\(line (\d+)\)/.exec(said)?.[1]);
    assert.match(OPEN.split("\n")[line - 1] ?? "", /allow: 9000/, "the line of what was applied");
  });

  it("counts the drop-ins that were applied, and not the one that came later", async () => {
    await file(
      `version: 1\ninbound:\n  - {allow: ${PORT}, from: any, why: the page of this test}\n`,
      "/etc/seawall/policy.d/web.yaml",
    );
    await confirmed(SHUT);
    assert.match(await words(), /policy\.d\/web\.yaml, line 3\) allows it/);
    await host.shell("rm /etc/seawall/policy.d/web.yaml");
    const said = await words();
    assert.match(said, /is accepted[^]*the file on disk would say[^]*is refused/);
    assert.equal(await wire(), "connected");
  });

  it("speaks of the candidate while it is on trial, and of the one before after that", async () => {
    await confirmed(OPEN);
    await file(SHUT);
    await seawall.ok("apply", "--confirm-within", "5s");
    const said = await words();
    assert.match(
      said,
      /^in force \(history 2, on trial: \d+ s left, then history 1 again unless confirmed\)\n.*refused/,
    );
    assert.equal(await wire(), "refused");
    const isBack = async () => (await words()).startsWith("in force (history 1)\n");
    assert.equal(await eventually(isBack, true, LEASE_END_MS), true);
    assert.match(await words(), /is accepted[^]*the file on disk would say[^]*is refused/);
    assert.equal(await wire(), "connected");
  });

  it("speaks of what a rollback left, and not of the file that is still there", async () => {
    await confirmed(SHUT);
    await confirmed(OPEN);
    await seawall.ok("rollback");
    await seawall.ok("confirm", "--console");
    assert.match(await words(), /^in force \(history 3\)\n.*refused[^]*on disk would say[^]*is accepted/);
    assert.equal(await wire(), "refused");
  });

  it("says enforce in the file is not enforce in force", async () => {
    await confirmed(SHUT.replace("mode: enforce", "mode: observe"));
    await file(SHUT);
    assert.match(await words(), /let through[^]*only watched[^]*on disk would say[^]*is refused/);
    assert.equal(await wire(), "connected");
  });

  it("with --draft or --policy speaks of the file alone and says so, also to who is not root", async () => {
    await confirmed(OPEN);
    await file(SHUT);
    await host.shell("chmod 755 /etc/seawall");
    for (const which of [["--draft"], ["--policy", FILE]]) {
      const as = ["setpriv", "--reuid", "65534", "--clear-groups"];
      const result = await host.run([...as, ...SEAWALL, "explain", ...FLOW, ...which]);
      assert.equal(result.code, 0, result.stderr);
      assert.match(result.stdout, /^draft \/etc\/seawall\/policy\.yaml: .*not what is in force\n.*refused/);
      const { inForce, draft } = await json(...which);
      assert.deepEqual([inForce, draft?.verdict], [null, "refuse"]);
    }
  });

  it("refuses without root to speak of the kernel: exit 5", async () => {
    await confirmed(OPEN);
    const as = ["setpriv", "--reuid", "65534", "--clear-groups"];
    const result = await host.run([...as, ...SEAWALL, "explain", ...FLOW]);
    assert.deepEqual([result.code, result.stdout], [5, ""]);
    assert.match(result.stderr, /sudo seawall explain 45\.33\.32\.156 9000/);
  });

  it("says that nothing is in force where nothing is, whatever the file says", async () => {
    await file(SHUT);
    assert.match(await words(), /^in force: nothing of Seawall\n[^]*on disk would say[^]*refused/);
    assert.equal((await json()).inForce?.state, "off");
    assert.equal(await wire(), "connected");
  });

  it("speaks of the panic while one holds", async () => {
    await confirmed(OPEN);
    await seawall.ok("panic");
    assert.match(await words(), /^in force \(history 2, PANIC until `seawall panic --off`\)\n.*refused/);
    assert.equal(await wire(), "refused");
    assert.match(await seawall.ok("explain", WORLD4, "22"), /is accepted/);
    await seawall.ok("panic", "--off");
    assert.match(await words(), /^in force \(history 3\)\n.*accepted/);
  });

  it("speaks of the rescue in the place of the policy", async () => {
    await confirmed(SHUT);
    assert.equal((await runShipped(host, "rescue.sh")).code, 0);
    assert.match(await words(), /^in force: the rescue, in the place of every policy\n/);
    assert.equal((await json()).verdict, null);
    await seawall.ok("down");
  });

  for (const [name, command] of [
    ["a rule in front of everything", "nft insert rule inet seawall prerouting accept"],
    ["no table any more", "nft delete table inet seawall"],
  ] as const) {
    it(`does not claim to know what ${name} does`, async () => {
      await confirmed(SHUT);
      await host.shell(command);
      assert.match(await words(), /^in force: NOT KNOWN/);
      assert.equal((await json()).verdict, null);
    });
  }

  it("does not claim to know a policy that nobody kept", async () => {
    await confirmed(OPEN);
    await host.shell("rm /var/lib/seawall/history/000001.resolved");
    await file(SHUT);
    assert.match(
      await words(),
      /^in force: NOT KNOWN \(history 1\): what policy 1 of the history means is not kept/,
    );
  });
});
