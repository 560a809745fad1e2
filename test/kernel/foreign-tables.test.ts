// What UFW and Docker do to the rules as the kernel tells it, and what is left of theirs after somebody's flush.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { lostRules, type OwnedTable } from "../../src/core/drift/table-owner.ts";
import { eventually } from "../support/host/eventually.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { type Watcher, watchOn } from "../support/host/rules-watcher.ts";

describe("beside a real ufw and a real dockerd", () => {
  let host: Host;
  let watcher: Watcher;
  before(async () => {
    host = await startHost({
      ufw: ["allow 22/tcp"],
      docker: { containers: [{ name: "web", publish: [{ hostPort: 8080, port: 80 }] }] },
    });
    watcher = await watchOn(host);
  });
  after(async () => {
    await watcher?.stop();
    await host?.stop();
  });

  const tables = async (): Promise<readonly OwnedTable[]> => {
    const from = watcher.said.length;
    await watcher.ask("tables");
    return (await watcher.until((line) => line.tables !== undefined, from)).tables ?? [];
  };

  for (const [what, work] of [
    ["reload", () => host.ufw.reload()],
    ["enable", () => host.ufw.run("--force", "enable")],
    ["a new rule", () => host.ufw.run("allow", "9000/tcp")],
  ] as const) {
    it(`ufw ${what} is told as iptables, in the tables that it touches`, async () => {
      const changes = await watcher.during(work);
      const programs = new Set(changes.map(({ program }) => program));
      assert.ok(programs.size > 0);
      for (const program of programs) assert.match(program, /^ip6?tables(?:-resto\w*)?$/);
      const touched = new Set(
        changes.flatMap((change) => change.touched.map(({ family, table }) => `${family} ${table}`)),
      );
      assert.ok(touched.has("ip filter"), [...touched].join());
      assert.ok(touched.has("ip6 filter"), [...touched].join());
      assert.ok(changes.every(({ own }) => !own));
    });
  }

  it("a restart of dockerd is told as iptables, and as dockerd's where it could be looked up", async (context) => {
    const changes = await watcher.during(() => host.docker.restartDaemon());
    assert.ok(changes.length > 0);
    for (const { program } of changes) assert.match(program, /^(?:ip6?tables|dockerd)/);
    const origins = changes.flatMap(({ origin }) => origin ?? []);
    for (const { command, ancestors } of origins)
      assert.ok([command, ...ancestors].includes("dockerd"), JSON.stringify(origins));
    context.diagnostic(`${origins.length} of ${changes.length} changes could be looked up`);
  });

  it("the tables are listed with whose they are, as nft has them", async () => {
    await host.shell("nft -f -", { input: "table inet seawall {\n}\n" });
    await host.shell("nft add table netdev someone");
    const listed = await tables();
    const labels = listed.map(({ family, name }) => `table ${family} ${name}`);
    const wanted = (await host.shell("nft list tables")).trim().split("\n");
    assert.deepEqual(labels.toSorted(), wanted.toSorted());
    const owners = Object.fromEntries(listed.map((table) => [`${table.family} ${table.name}`, table.owners]));
    assert.deepEqual(owners["ip filter"], ["UFW", "Docker"]);
    assert.deepEqual(owners["ip6 filter"], ["UFW"]);
    assert.deepEqual(owners["ip nat"], ["Docker"]);
    assert.deepEqual(owners["inet seawall"], ["Seawall"]);
    assert.deepEqual(owners["netdev someone"], []);
  });

  it("after a flush it is known what each of them lost, and after ufw's return what is still missing", async () => {
    const earlier = await tables();
    await host.shell("nft flush ruleset");
    const lost = lostRules(earlier, await tables());
    assert.deepEqual(new Set(lost.map(({ owner }) => owner)), new Set(["UFW", "Docker", "Seawall", null]));
    assert.ok(lost.every(({ everything }) => everything));
    await host.ufw.reload();
    const back = async () => lostRules(earlier, await tables()).some(({ owner }) => owner === "UFW");
    assert.equal(await eventually(back, false), false);
    const missing = lostRules(earlier, await tables()).map(({ owner }) => owner);
    assert.deepEqual(new Set(missing), new Set(["Docker", "Seawall", null]));
  });
});
