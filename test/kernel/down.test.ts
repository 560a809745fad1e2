// `seawall down`: asked at a terminal, not in a script; off until the next apply, also after a restart.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Host, startHost } from "../support/host/host.ts";
import { restart } from "../support/host/restart.ts";
import { inbound, SEAWALL_WORDS, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

describe("down", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
  });
  after(() => host.stop());
  beforeEach(() => seawall.enforce(inbound("ssh from any")));

  const hasTable = async () => (await host.run(["nft", "list", "tables"])).stdout.includes("inet seawall");
  /** At a terminal of its own, with what is typed there. */
  const atTerminal = (typed: string, words = "") =>
    host.run(["script", "-qec", `${SEAWALL_WORDS} down ${words}`, "/dev/null"], {
      input: typed,
      deadlineMs: 60_000,
    });

  for (const typed of ["n\n", "\n", "no\n", "down\n"]) {
    it(`changes nothing when ${JSON.stringify(typed)} is the answer at a terminal`, async () => {
      const { code, stdout } = await atTerminal(typed);
      assert.equal(code, 2, stdout);
      assert.match(stdout, /\[y\/N\]/);
      assert.match(stdout, /nothing was changed/);
      assert.equal(await hasTable(), true);
    });
  }

  it("takes everything out on `y`, and the next start loads nothing either, as it says", async () => {
    const { code, stdout } = await atTerminal("y\n");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /off, until the next `seawall apply`, also after a reboot/);
    assert.equal(await hasTable(), false);
    await restart(host);
    assert.equal(await hasTable(), false);
  });

  it("asks nothing with --yes, and nobody in a script", async () => {
    assert.doesNotMatch((await atTerminal("", "--yes")).stdout, /y\/N/);
    assert.equal(await hasTable(), false);
    await seawall.enforce(inbound("ssh from any"));
    assert.match(await seawall.ok("down"), /also after a reboot/);
    assert.equal(await hasTable(), false);
  });

  it("is meant for the next start, too, where somebody took the table away", async () => {
    await host.shell("nft delete table inet seawall");
    assert.match(await seawall.ok("down"), /also after a reboot/);
    await restart(host);
    assert.equal(await hasTable(), false);
    assert.equal(await seawall.ok("down"), "Seawall was off already\n");
  });
});
