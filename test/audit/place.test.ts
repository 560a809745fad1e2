/** However OpenClaw runs, and several of them: found by its processes and its folders. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Account } from "../../src/core/audit/fact/listener.ts";
import { CHECKS } from "../../src/core/audit/check/all.ts";
import { change } from "./facts/change.ts";
import { goodFacts } from "./facts/good.ts";
import { GOOD_INSTANCE } from "./facts/good-agent.ts";
import { containerIn, findPlaces, unitIn } from "../../src/edge/probe/openclaw-place.ts";
import { writableBy } from "../../src/edge/host/writable-by.ts";
import { readText } from "../../src/edge/probe/file.ts";
import type { ProcessSeen, ProcessTable } from "../../src/edge/probe/process.ts";

const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function account(name: string, uid: number): Account {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  return { name, uid, gid: uid, home, shell: "/bin/sh", groups: [], password: null };
}

function table(...titles: readonly string[]): ProcessTable {
  // Numbers that no process has, so that nothing of this machine is read.
  const all = titles.map(
    (title, index): ProcessSeen => ({
      pid: 2 ** 30 + index,
      parent: 1,
      comm: title.slice(0, 15),
      title,
      args: title.split(" "),
      uid: 7001,
      groups: [],
      cgroup: "",
      net: "",
    }),
  );
  return { all, net: "", holders: new Map(), complete: true };
}

describe("a gateway is known by what it writes over its command line, or by how it was started", () => {
  const rows: readonly (readonly [string, number])[] = [
    ["openclaw-gateway", 1],
    ["clawdbot-gateway", 1],
    ["node /usr/lib/node_modules/openclaw/dist/index.js gateway --port 18789", 1],
    ["/usr/bin/node /opt/openclaw/openclaw.mjs gateway run", 1],
    ["bun /srv/openclaw.mjs gateway", 1],
    ["node /usr/lib/node_modules/openclaw/openclaw.mjs gateway status --json", 0],
    ["node /usr/lib/node_modules/openclaw/openclaw.mjs security audit", 0],
    ["vim openclaw gateway", 0],
    ["node server.js", 0],
    ["grep openclaw-gateway", 0],
  ];
  for (const [title, count] of rows)
    test(`${title}: ${count}`, () => {
      assert.equal(findPlaces(table(title), [], {}, () => true).places.length, count);
      const { places, claims } = findPlaces(table(title), [], {}, () => false);
      assert.deepEqual([places, claims], [[], count === 0 ? [] : [{ uid: 7001, count: 1 }]]);
    });
});

describe("state folders without a process", () => {
  test("profiles, old names, and several users", () => {
    const [ann, bob] = [account("ann", 7001), account("bob", 7002)];
    for (const path of [
      join(ann.home, ".openclaw"),
      join(ann.home, ".openclaw-work"),
      join(bob.home, ".clawdbot"),
    ])
      mkdirSync(path);
    symlinkSync(join(ann.home, ".openclaw"), join(bob.home, ".openclaw"));
    writeFileSync(join(ann.home, ".openclaw-not"), "");
    const { places } = findPlaces(table(), [ann, bob], {});
    assert.deepEqual(
      places.map(({ user, profile, stateFolder }) => [user, profile, stateFolder?.split("/").at(-1)]),
      [
        ["ann", null, ".openclaw"],
        ["ann", "work", ".openclaw-work"],
        ["bob", null, ".clawdbot"],
      ],
    );
  });

  test("one home for every account of a service is looked at once", () => {
    const home = account("shared", 7003);
    mkdirSync(join(home.home, ".openclaw"));
    assert.equal(findPlaces(table(), [home, { ...home, name: "other", uid: 7004 }], {}).places.length, 1);
  });

  test("SEAWALL_OPENCLAW_HOME moves the look", () => {
    const home = account("moved", 7005);
    mkdirSync(join(home.home, ".openclaw"));
    assert.deepEqual(
      findPlaces(table(), [], { SEAWALL_OPENCLAW_HOME: home.home }).places.map(
        ({ stateFolder }) => stateFolder,
      ),
      [join(home.home, ".openclaw")],
    );
  });
});

describe("attack: many that call themselves the gateway hide nobody", () => {
  const victim = account("victim", 7010);
  mkdirSync(join(victim.home, ".openclaw"));
  const many = (count: number, uid: number): ProcessTable => {
    const seen = table(...Array.from({ length: count }, () => "openclaw-gateway"));
    return { ...seen, all: seen.all.map((process) => ({ ...process, uid })) };
  };
  for (const uid of [7011, 7010]) {
    for (const count of [8, 9, 64, 65, 200]) {
      test(`${count} of ${uid === 7010 ? "its own user" : "another user"}, that listen or do not`, () => {
        const listening = findPlaces(many(count, uid), [victim], {}, () => true);
        assert.ok(
          listening.places.some(
            (place) => place.uid === 7010 && place.stateFolder === join(victim.home, ".openclaw"),
          ),
        );
        assert.deepEqual(listening.leftOut, count > 8 ? [{ uid, count: count - 8 }] : []);
        const silent = findPlaces(many(count, uid), [victim], {}, () => false);
        assert.deepEqual(
          silent.places.map(({ pid, uid: owner }) => [pid, owner]),
          [[null, 7010]],
        );
        assert.deepEqual([silent.leftOut, silent.claims], [[], [{ uid, count }]]);
      });
    }
  }

  test("what of a user is not looked at makes what passes unknown, and leaves what fails", () => {
    const notLookedAt = ["57 more OpenClaws of uid 7011 were not looked at (8 of a user are)"];
    const good = change(goodFacts(), "openclaw", { instances: [GOOD_INSTANCE], notLookedAt, claims: [] });
    for (const check of CHECKS.filter(({ layer }) => layer === "app")) {
      const before = check.judge(
        change(goodFacts(), "openclaw", { instances: [GOOD_INSTANCE], notLookedAt: [], claims: [] }),
      );
      const { status } = check.judge(good);
      // What the owner states is nothing that anybody looks at.
      if (check.id === "APP-017" || check.id === "APP-018") continue;
      assert.notEqual(status, "pass", check.id);
      if (before.status === "fail") assert.equal(status, "fail", check.id);
    }
  });
});

describe("a folder that is a state folder itself", () => {
  test("SEAWALL_OPENCLAW_HOME may name it, and nothing elsewhere is looked at", () => {
    const own = join(folder, "own-state");
    mkdirSync(own);
    writeFileSync(join(own, "openclaw.json"), "{}");
    const { places } = findPlaces(table("openclaw-gateway"), [], { SEAWALL_OPENCLAW_HOME: own }, () => true);
    assert.deepEqual(
      places.map(({ configPath, pid }) => [configPath, pid]),
      [[join(own, "openclaw.json"), null]],
    );
  });
});

describe("the cgroup says who runs it", () => {
  const id = "0123456789abcdef".repeat(4);
  for (const [cgroup, unit, container] of [
    ["0::/system.slice/openclaw-gateway.service", "openclaw-gateway.service", null],
    [
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw-gateway.service",
      "openclaw-gateway.service",
      null,
    ],
    ["0::/user.slice/user-1000.slice/user@1000.service/session.slice", null, null],
    [`0::/system.slice/docker-${id}.scope`, null, id.slice(0, 12)],
    [`0::/docker/${id}`, null, id.slice(0, 12)],
    [`0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`, null, id.slice(0, 12)],
    ["0::/", null, null],
  ] as const)
    test(cgroup.slice(0, 60), () =>
      assert.deepEqual([unitIn(cgroup), containerIn(cgroup)], [unit, container]),
    );
});

describe("files that anybody may have made", () => {
  test("a link, a folder, a file that is longer than the limit", () => {
    const path = join(folder, "file");
    writeFileSync(path, "x".repeat(5000));
    symlinkSync(path, join(folder, "link"));
    const cut = readText(path, { limit: 100 });
    assert.ok(cut.kind === "text" && cut.cut && cut.text.length === 100);
    assert.equal(readText(join(folder, "link")).kind, "refused");
    assert.equal(readText(join(folder, "link"), { follow: true }).kind, "text");
    assert.equal(readText(folder).kind, "refused");
    assert.equal(readText(join(folder, "none")).kind, "missing");
    assert.equal(readText(join(path, "below")).kind, "missing");
  });

  test("a program is only trusted when nobody else may change it or a folder above it", () => {
    const own = process.geteuid?.() ?? 0;
    const path = join(folder, "bin");
    mkdirSync(path, { mode: 0o755 });
    writeFileSync(join(path, "program"), "", { mode: 0o755 });
    assert.equal(writableBy(join(path, "program"), new Set([0, own])), null);
    assert.match(writableBy(join(path, "program"), new Set([12_345])) ?? "", /belongs to uid/);
    mkdirSync(join(folder, "open"), { mode: 0o755 });
    writeFileSync(join(folder, "open", "program"), "", { mode: 0o777 });
    assert.equal(writableBy(join(folder, "open", "none"), new Set([0, own])) === null, false);
  });
});
