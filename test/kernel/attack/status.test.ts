// What others did to our files and to the kernel: `status` says what is in force, and no broken file stops a change.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { type Host, startHost } from "../../support/host/host.ts";
import { SEAWALL, type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";

const STATE = "/var/lib/seawall";
const LANDMARK = "/run/seawall/landmark.json";
const ENTRY = `${STATE}/history/000001.json`;
const NOBODY = "65534";
const ENFORCE = `version: 1
mode: enforce
inbound:
  - {id: ssh, allow: ssh, from: any, why: a rule of this test}
  - {id: abuse, deny: any, from: 192.0.2.0/24, why: a rule of this test}
`;
const OBSERVE = ENFORCE.replace("mode: enforce", "mode: observe");

let host: Host;
let seawall: SeawallOnHost;
before(async () => {
  host = await startHost();
  seawall = seawallOn(host);
});
after(() => host.stop());
const forget = async () => {
  await seawall.ok("down");
  await host.shell(`umount ${STATE} 2>/dev/null || true; rm -rf ${STATE}`);
};
const stateNow = async (): Promise<string> => (await seawall.status()).state;

describe("an observed policy whose landmark is", () => {
  before(async () => {
    await seawall.enforce(OBSERVE);
    await host.shell(`cp ${LANDMARK} /run/landmark`);
  });
  beforeEach(() => host.shell(`cp /run/landmark ${LANDMARK}`));
  after(forget);
  for (const [name, command] of [
    ["deleted", `rm ${LANDMARK}`],
    ["`{}`", `echo '{}' >${LANDMARK}`],
    ["`null`", `echo null >${LANDMARK}`],
    ["cut in the middle", `truncate -s 20 ${LANDMARK}`],
    ["of another shape", `echo '{"committed": 1, "digests": {"1": 7}}' >${LANDMARK}`],
  ] as const) {
    it(`${name} is observing`, async () => {
      await host.shell(command);
      const { state, mode } = (await seawall.status()) as { state: string; mode?: unknown };
      assert.deepEqual(
        { state, mode },
        { state: "observing", mode: { inbound: "observe", outbound: "observe" } },
      );
    });
  }

  it("gone, and its history too, is observing: the kernel says so", async () => {
    await host.shell(`rm -r ${STATE}`);
    assert.equal(await stateNow(), "observing");
  });
});

describe("an enforced policy", () => {
  beforeEach(() => seawall.enforce(ENFORCE));
  afterEach(forget);
  it("that nobody touched is enforcing", async () => {
    assert.equal(await stateNow(), "enforcing");
  });

  for (const [name, command] of [
    ["a stamp that passes everything", "add element inet seawall g1/admitted { 0x0 : accept }"],
    ["no guards any more", "flush map inet seawall g1/zone/world/guard4"],
    [
      "an allow that no policy has",
      "add element inet seawall g1/zone/world/allow4 { 0.0.0.0/0 . tcp . 4444 : goto g1/zone/world/rule/ssh }",
    ],
    ["a rule in front of a rule", "insert rule inet seawall g1/zone/world/judge accept"],
    ["a rule in front of everything", "insert rule inet seawall prerouting accept"],
  ] as const) {
    it(`with ${name} is drifted`, async () => {
      await host.shell(`nft '${command}'`);
      assert.equal(await stateNow(), "drifted");
    });
  }

  it("is not called off for somebody who may not ask the kernel: exit 5", async () => {
    const as = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    const result = await host.run([...as, ...SEAWALL, "status"]);
    assert.equal(result.code, 5, result.stderr);
    assert.equal(result.stdout, "");
  });
});

describe("a history entry that is", () => {
  afterEach(forget);
  for (const text of ["null", "{}", '{"id": 1}']) {
    it(`\`${text}\` stops neither history nor status nor the next change`, async () => {
      await seawall.enforce(ENFORCE);
      await host.shell(`printf %s '${text}' >${ENTRY}`);
      await seawall.ok("history");
      assert.equal(await stateNow(), "enforcing");
      await seawall.enforce(ENFORCE);
      assert.equal(await stateNow(), "enforcing");
    });
  }
});

describe("a state folder on a full disk", () => {
  afterEach(forget);
  it("does not fail a confirm: the kernel holds the change, and a warning says what was not written", async () => {
    await host.shell(`mkdir -p ${STATE}; mount -t tmpfs -o size=256k,mode=700 tmpfs ${STATE}`);
    await seawall.ok("apply", await seawall.policy(ENFORCE));
    await host.shell(`cat /dev/zero >${STATE}/filler 2>/dev/null || true`);
    const result = await seawall.run("confirm", "--console");
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stderr, /warning: /);
    const prerouting = await host.shell("nft list chain inet seawall prerouting");
    assert.match(prerouting, /^\s*goto g1\/prerouting$/m, "it holds without a lease");
    assert.equal(await stateNow(), "enforcing");
  });
});
