// Rows that more than one state of the firewall has in common. `scene` is asked when a row runs.
import assert from "node:assert/strict";
import { it } from "node:test";
import { PLAIN_ANSWER } from "../../src/lab/openclaw/model.ts";
import { ATTACKS, type Attack } from "./attack.ts";
import { LISTED, MODEL, OTHER_RESOLVER_NAME, UNLISTED } from "./internet/zone.ts";
import { HUNG, type Scene, assertNothingOf, assertNothingOfOpenClaw } from "./scene.ts";

type Ask = () => Scene;

/** Registers a row for every way out: an agent whose model wants it uses it. */
export function everythingIsPossible(scene: Ask): void {
  whatIsListedWorks(scene);

  it("fetches any site", async () => {
    const turn = await scene().ask(`FETCH https://${UNLISTED}/`);
    assert.match(turn.value, new RegExp(`REACHED ${UNLISTED}`));
  });

  for (const attack of ATTACKS) {
    it(`gets out by ${attack.name}`, async () => {
      const turn = await scene().command(attack.script);
      assert.ok(attack.arrived(turn), turn.value);
    });
  }
}

/** Registers the rows of what an agent is there for: its model, and what the policy lists, by each of its tools. */
export function whatIsListedWorks(scene: Ask): void {
  it("has a turn with its model, by name", async () => {
    const turn = await scene().ask("hello");
    assert.match(turn.value, new RegExp(PLAIN_ANSWER));
    const asked = turn.seen.filter((one) => one.kind === "request" && one.host === MODEL);
    assert.ok(asked.length > 0, JSON.stringify(turn.seen));
  });

  for (const url of [`https://${LISTED}/page`, `http://${LISTED}/page`]) {
    it(`fetches ${url}`, async () => {
      const turn = await scene().ask(`FETCH ${url}`);
      assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
    });

    it(`runs curl ${url}`, async () => {
      const turn = await scene().command(`curl -sS ${url}`);
      assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
    });
  }
}

/** Registers a row for each attack: nothing of it arrives, and the command that tries it ends instead of hanging. */
export function attacksAreHeld(scene: Ask, attacks: readonly Attack[]): void {
  for (const { name, script, arrived } of attacks) {
    it(`does not get out by ${name}, and is told at once`, async () => {
      const turn = await scene().command(script);
      assert.equal(arrived(turn), false, `${turn.value}\n${JSON.stringify(turn.seen)}`);
      for (const other of [UNLISTED, OTHER_RESOLVER_NAME]) assertNothingOf(other, turn);
      assert.notEqual(turn.code, HUNG, `it waited instead of being told: ${turn.value}`);
    });
  }

  it("fetches no unlisted site, and says why", async () => {
    for (const scheme of ["http", "https"]) {
      const turn = await scene().ask(`FETCH ${scheme}://${UNLISTED}/`);
      assert.match(turn.value, /ENOTFOUND|Proxy response \(403\)/);
      assertNothingOf(UNLISTED, turn);
    }
  });

  it("is healthy while OpenClaw's own catalogue, telemetry and hub are out of reach", async () => {
    assertNothingOfOpenClaw(await scene().ask("hello"));
    assert.equal(await scene().gateway().isReady(), true, scene().gateway().log());
  });
}

/** Registers the rows of `openclaw proxy validate`, OpenClaw's own check of a proxy. */
export function proxyCheckPasses(
  scene: Ask,
  listExample: { on: () => Promise<void>; off: () => Promise<void> },
): void {
  it("passes OpenClaw's check of a proxy as it comes, when example.com is listed", async () => {
    await listExample.on();
    const { code, report } = (await scene().checkProxy()).value;
    assert.equal(code, 0, JSON.stringify(report));
    assert.deepEqual(
      report.checks.map(({ kind, ok }) => `${kind} ${ok}`),
      ["allowed true", "denied true"],
    );
    await listExample.off();
  });
}

/** Registers what that check says of addresses that it is given. */
export function proxyCheckTellsApart(scene: Ask): void {
  it("reaches a listed address in that check, and none that is not listed", async () => {
    const urls = [`https://${LISTED}/`, `https://${UNLISTED}/`];
    const watched = await scene().checkProxy(...urls.flatMap((url) => ["--allowed-url", url]));
    assert.deepEqual(
      watched.value.report.checks.map(({ kind, ok }) => `${kind} ${ok}`),
      ["allowed true", "allowed false", "denied true"],
    );
    assertNothingOf(UNLISTED, watched);
  });

  // LIMIT: 2026.9.6 takes neither an answer nor an error as proof that a proxy denied an address of one's own choice,
  // so `ok` is false whatever a proxy does: what counts is that nothing was reached.
  it("gets no answer in that check where it is asked to expect a denial", async () => {
    const urls = [`http://${UNLISTED}/`, `https://${UNLISTED}/`];
    const listed = ["--allowed-url", `https://${LISTED}/`];
    const watched = await scene().checkProxy(...listed, ...urls.flatMap((url) => ["--denied-url", url]));
    const denied = watched.value.report.checks.filter(({ kind }) => kind === "denied");
    assert.deepEqual(
      denied.map(({ url }) => url),
      urls,
    );
    for (const { error = "" } of denied) {
      assert.match(error, /failed without a verifiable proxy-deny signal|returned HTTP 403/);
    }
    assertNothingOf(UNLISTED, watched);
  });
}
