// kill -9 of seawalld under load, at random moments: every event that `seawall flows` had shown is still there, as it
// was, and the kernel judges all the time. SEAWALL_STORE_ROUNDS says how often (default 20).
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import type { Hammered } from "../support/host/agent-request.ts";
import { type Daemon, startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";
import { seededRandom } from "../support/seeded-random.ts";

const ROUNDS = Number(process.env["SEAWALL_STORE_ROUNDS"] ?? 20);
const OPEN = 9_000;
const CLOSED = [9_001, 9_002, 9_003, 9_004];
const WORLD4 = "45.33.32.156";
const WORLD6 = "2001:db8:77::7";
/** LIMIT: how long a daemon may take to record again after it was started. */
const AGAIN_MS = 20_000;
/** A kill comes so long after something was shown, or sooner. */
const PAUSE_MS_MAX = 400;
/** Ten connections each time; what is listed again and again has to stay listable on a slow machine. */
const STRIKE_MS = 150;
const LISTED_MAX = "100000";

describe(`over ${ROUNDS} kills of seawalld under load`, () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let outcome: Readonly<Record<string, Hammered>>;
  const shown = new Map<number, string>();
  const missing: string[] = [];
  const late: string[] = [];
  const random = seededRandom(20_261_121);

  /** What `flows` shows now, by its id. */
  const list = async (): Promise<Map<number, string>> => {
    const lines = (await seawall.ok("flows", "--json", "--limit", LISTED_MAX)).split("\n");
    return new Map(
      lines
        .filter((line) => line !== "")
        .map((line) => [(JSON.parse(line) as { readonly id: number }).id, line]),
    );
  };
  /** Waits until something new is shown; everything shown is acknowledged from then on. */
  const showMore = async (round: number): Promise<void> => {
    const newest = Math.max(0, ...shown.keys());
    const isMore = async () => {
      for (const [id, line] of await list()) shown.set(id, line);
      return Math.max(0, ...shown.keys()) > newest;
    };
    if (!(await eventually(isMore, true, AGAIN_MS))) late.push(`round ${round}: nothing new is recorded`);
  };
  const compare = async (round: number): Promise<void> => {
    const now = await list();
    for (const [id, line] of shown) {
      if (now.get(id) !== line)
        missing.push(`round ${round}: ${line} is now ${now.get(id) ?? "not there any more"}`);
    }
  };

  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [OPEN, ...CLOSED]) await host.listen(port);
    await seawall.enforce(inbound(`${OPEN} from any`));
    const targets = [OPEN, ...CLOSED].flatMap((port) => [
      { to: HOST4, port, from: WORLD4 },
      { to: HOST6, port, from: WORLD6 },
    ]);
    let daemon: Daemon = await startDaemon(host);
    const hammer = await host.upstream.hammer(targets, STRIKE_MS);
    for (let round = 0; round < ROUNDS; round += 1) {
      await showMore(round);
      await sleep(random.below(PAUSE_MS_MAX));
      await daemon.kill();
      await compare(round);
      daemon = await startDaemon(host);
      await compare(round);
    }
    await showMore(ROUNDS);
    outcome = await hammer.stop();
    await daemon.kill();
  });
  after(() => host.stop());

  it("every event that was shown is there, as it was", () => {
    assert.deepEqual(missing.slice(0, 5), []);
    assert.ok(shown.size > ROUNDS * 5, `${shown.size} events were shown`);
  });
  it("each daemon recorded again", () => assert.deepEqual(late, []));
  it("what is open was reached, and what is closed was not, all the time", () => {
    for (const [target, { attempts, connected }] of Object.entries(outcome)) {
      assert.ok(attempts > ROUNDS * 5, `${target}: ${attempts}`);
      if (!target.includes(String(OPEN))) assert.equal(connected, 0, target);
      else assert.ok(connected > attempts * 0.9, `${target}: ${connected} of ${attempts}`);
    }
  });
  it("the database is whole", async () => {
    const script = `const { DatabaseSync } = require("node:sqlite");
      const database = new DatabaseSync("/var/lib/seawall/events.db");
      console.log(database.prepare("PRAGMA integrity_check").get().integrity_check)`;
    assert.equal((await host.run([process.execPath, "-e", script])).stdout, "ok\n");
  });
});
