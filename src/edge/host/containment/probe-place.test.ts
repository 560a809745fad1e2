import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Entry, machine, MACHINE, processOf, UID } from "../../../../test/support/fake-machine.ts";
import type { Containment } from "../../../core/containment/facts.ts";
import { gradeContainment } from "../../../core/containment/grade.ts";
import { openProbe } from "./probe.ts";
import type { Subject } from "./process.ts";

const SLICE: Subject = { kind: "cgroup", path: "seawall.slice/seawall-agent.slice" };

function seen(t: TestContext, more: Readonly<Record<string, Entry>>, subject: Subject): Containment {
  return gradeContainment(openProbe(machine(t, more)).facts(subject));
}

describe("a scope by unit", () => {
  const inside = processOf(80, { uid: UID, cgroup: "/seawall.slice/seawall-agent.slice/openclaw.service" });
  const elsewhere = processOf(70, { uid: 1000, cgroup: "/user.slice" });
  // A unit's own user: no shell, no crontab, no home of its own.
  const bound = {
    ...elsewhere,
    ...inside,
    "/etc/passwd": "root:x:0:0::/root:/bin/bash\nagent:x:4242:4242::/var/empty:/usr/sbin/nologin\n",
    "/etc/cron.deny": "agent\n",
  };

  it("of a user without shell and cron is contained", (t) =>
    assert.deepEqual(seen(t, bound, SLICE), { grade: "contained", reasons: [] }));

  it("in which nothing runs has no grade", (t) => assert.equal(seen(t, {}, SLICE).grade, "unknown"));

  it("of root is not contained", (t) =>
    assert.deepEqual(
      seen(
        t,
        { ...elsewhere, ...processOf(81, { uid: 0, cgroup: "/seawall.slice/seawall-agent.slice" }) },
        SLICE,
      ).reasons.map(({ id }) => id),
      ["root"],
    ));

  it("is not one of a longer name that begins with its path", (t) =>
    assert.equal(
      seen(t, processOf(82, { uid: UID, cgroup: "/seawall.slice/seawall-agent.slice2" }), SLICE).grade,
      "unknown",
    ));

  for (const [what, id, more] of [
    ["systemd-run --user", "user-manager", { "/run/user/4242/bus": "" }],
    ["a user manager that lingers", "user-manager", { "/var/lib/systemd/linger/agent": "" }],
    ["cron", "cron", { "/etc/cron.deny": "bob\n" }],
    ["at", "at", { "/usr/bin/at": "" }],
    ["ssh localhost as itself", "ssh", { "/etc/passwd": MACHINE["/etc/passwd"] ?? "" }],
    [
      "a process of it that is outside",
      "process-outside",
      processOf(90, { uid: UID, cgroup: "/init.scope" }),
    ],
    [
      "moving itself by cgroup.procs",
      "cgroup",
      { "/sys/fs/cgroup/cgroup.procs": "", "/sys/fs/cgroup/user.slice/cgroup.procs": { uid: UID } },
    ],
  ] as const) {
    it(`is left by ${what}`, (t) => {
      const { grade, reasons } = seen(t, { ...bound, ...more }, SLICE);
      assert.equal(grade, "not-contained");
      assert.ok(
        reasons.some((one) => one.id === id),
        JSON.stringify(reasons),
      );
    });
  }

  it("is not left by a cgroup below it that is delegated", (t) =>
    assert.equal(
      seen(
        t,
        {
          ...bound,
          "/sys/fs/cgroup/cgroup.procs": "",
          "/sys/fs/cgroup/seawall.slice/seawall-agent.slice/openclaw.service/cgroup.procs": { uid: UID },
        },
        SLICE,
      ).grade,
      "contained",
    ));
});

it("a scope by network namespace is known by the namespace of its processes", (t) => {
  const more = {
    ...processOf(70, { uid: 1000, cgroup: "/user.slice" }),
    ...processOf(80, { uid: UID, cgroup: "/x", net: "net:[77]" }),
    "/etc/cron.deny": "agent\n",
  };
  const { reasons } = seen(t, more, { kind: "netns", link: "net:[77]" });
  assert.deepEqual(
    reasons.map(({ id }) => id),
    ["ssh"],
  );
});
