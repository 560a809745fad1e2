/** The real OpenClaw in a world of its own: first without Seawall, so that what is refused later was possible. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";
import { ATTACKS, type Attack } from "./attack.ts";
import { startDaemon } from "./daemon.ts";
import { type Gateway, prepareAgent, startGateway } from "./gateway.ts";
import { PLAIN_ANSWER } from "./internet/model.ts";
import { LISTED, LISTED_4, MODEL, NEIGHBOUR, OPENCLAW_NAMES, UNLISTED, ZONE } from "./internet/zone.ts";
import { policy } from "./policy.ts";
import { checkProxy } from "./proxy-check.ts";
import { type Watched, type World, startWorld } from "./world.ts";

const PROXY_URL = "http://127.0.0.1:18901";
/** The id of one refusal, as the gate, the log and `seawall explain` all say it. */
const REFUSAL_ID = /\bsw-[a-km-np-z2-9]{10}\b/;
/** Longer than any refusal, shorter than what OpenClaw waits for a command. */
const COMMAND_LIMIT_S = 8;
/** The exit code of timeout(1). */
const HUNG = 124;

let world: World;
let gateway: Gateway;
let seawall: SeawallOnHost;

before(async () => {
  world = await startWorld();
  await prepareAgent(world.host);
  seawall = seawallOn(world.host);
  gateway = await startGateway(world.host);
});
after(async () => {
  await world.stop();
});

describe("OpenClaw without Seawall", () => {
  everythingIsPossible();
});

describe("OpenClaw while Seawall watches", () => {
  before(async () => {
    await startDaemon(world.host);
    await apply(policy("observe"));
  });

  everythingIsPossible();

  it("tells what it would have refused", async () => {
    await ask(`FETCH https://${UNLISTED}/`);
    const flows = await seawall.ok("flows", "--json", "--direction", "outbound", "--verdict", "refuse");
    const events = flows
      .trim()
      .split("\n")
      .filter((line) => line.includes('"observed":true'));
    assert.ok(events.length > 0, flows);
  });
});

describe("OpenClaw behind Seawall", () => {
  before(() => apply(policy("enforce")));

  it("goes on with the gateway that ran before", async () => {
    assert.match((await ask("hello")).value, new RegExp(PLAIN_ANSWER));
  });

  describe("started behind it", () => {
    before(() => restart());
    whatIsListedWorks();
    whatIsNotListedIsRefused();

    it("fetches no unlisted name: the name does not exist for it", async () => {
      const turn = await ask(`FETCH https://${UNLISTED}/`);
      assert.match(turn.value, /ENOTFOUND|EAI_AGAIN|getaddrinfo/);
      assert.deepEqual(namesAsked(turn, UNLISTED), []);
    });

    it("is told by name and id when it says an unlisted name to a listed name's address", async () => {
      await command(`curl -sS -o /dev/null http://${LISTED}/`);
      const turn = await command(`curl -sS --resolve ${NEIGHBOUR}:80:${LISTED_4} http://${NEIGHBOUR}/`);
      assert.match(turn.value, REFUSAL_ID);
      assert.match(turn.value, new RegExp(NEIGHBOUR));
    });
  });

  describe("started with Seawall as its proxy", () => {
    before(() => restart({ proxyUrl: PROXY_URL }));
    whatIsListedWorks();
    whatIsNotListedIsRefused();

    it("fetches no unlisted name: the proxy answers 403", async () => {
      const turn = await ask(`FETCH https://${UNLISTED}/`);
      assert.match(turn.value, /403/);
      assert.deepEqual(namesAsked(turn, UNLISTED), []);
    });

    it("is told by name and id what its command was refused", async () => {
      const turn = await command(`curl -sS http://${UNLISTED}/`);
      assert.match(turn.value, REFUSAL_ID);
      assert.match(turn.value, new RegExp(UNLISTED));
    });
  });

  describe("as OpenClaw's own check of a proxy sees it", () => {
    it("passes the check as it comes, when example.com is listed", async () => {
      await apply(policy("enforce", ["example.com"]));
      const { code, report } = await checkProxy(world.host, PROXY_URL);
      assert.equal(code, 0, JSON.stringify(report));
      assert.deepEqual(
        report.checks.map(({ kind, ok }) => `${kind} ${ok}`),
        ["allowed true", "denied true"],
      );
      await apply(policy("enforce"));
    });

    it("passes for a listed address and fails for one that is not", async () => {
      const { code, report } = await checkProxy(
        world.host,
        PROXY_URL,
        "--allowed-url",
        `https://${LISTED}/`,
        "--allowed-url",
        `https://${UNLISTED}/`,
      );
      assert.equal(code, 1);
      const allowed = report.checks.filter(({ kind }) => kind === "allowed");
      assert.deepEqual(
        allowed.map(({ url, ok }) => `${url} ${ok}`),
        [`https://${LISTED}/ true`, `https://${UNLISTED}/ false`],
      );
      assert.match(allowed[1]?.error ?? "", /403/);
    });

    // LIMIT: 2026.9.6 takes neither an answer nor an error as proof of a denial by address, so `ok` is false whatever
    // a proxy does; what it was told and what reached the internet is what counts.
    it("denies what it is asked to deny, with 403 and without a packet to it", async () => {
      const { value, seen, packetsTo } = await world.during(() =>
        checkProxy(world.host, PROXY_URL, "--denied-url", `https://${UNLISTED}/`),
      );
      const denied = value.report.checks.find(({ kind }) => kind === "denied");
      assert.match(denied?.error ?? "", /403/);
      assert.deepEqual(
        seen.filter((one) => one.kind === "dns" && one.name === UNLISTED),
        [],
      );
      assert.equal(sum(ZONE[UNLISTED], packetsTo), 0);
    });
  });
});

/** Registers a row for every way out: an agent whose model wants it uses it. */
function everythingIsPossible(): void {
  whatIsListedWorks();

  it("fetches any site", async () => {
    const turn = await ask(`FETCH https://${UNLISTED}/`);
    assert.match(turn.value, new RegExp(`REACHED ${UNLISTED}`));
  });

  for (const attack of ATTACKS) {
    it(`gets out by ${attack.name}`, async () => {
      const turn = await command(attack.script);
      assert.ok(attack.arrived(turn), turn.value);
    });
  }
}

function whatIsListedWorks(): void {
  it("has a turn with its model, by name", async () => {
    const turn = await ask("hello");
    assert.match(turn.value, new RegExp(PLAIN_ANSWER));
    const asked = turn.seen.filter((one) => one.kind === "request" && one.host === MODEL);
    assert.ok(asked.length > 0, JSON.stringify(turn.seen));
  });

  it("is ready though the names of OpenClaw itself may be out of reach", async () => {
    assert.equal(await gateway.isReady(), true, gateway.log());
  });

  for (const url of [`https://${LISTED}/page`, `http://${LISTED}/page`]) {
    it(`fetches ${url}`, async () => {
      const turn = await ask(`FETCH ${url}`);
      assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
    });

    it(`runs curl ${url}`, async () => {
      const turn = await command(`curl -sS ${url}`);
      assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
    });
  }

  it("runs node's fetch of a listed name", async () => {
    const turn = await command(
      `node -e 'fetch("https://${LISTED}/").then((r) => r.text()).then(console.log)'`,
    );
    assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
  });
}

function whatIsNotListedIsRefused(): void {
  for (const attack of ATTACKS) {
    it(`does not get out by ${attack.name}, and is told at once`, async () => {
      await assertHeld(attack);
    });
  }

  it("sent nothing to the names of OpenClaw itself, which no rule lists", async () => {
    const turn = await ask("hello");
    for (const name of OPENCLAW_NAMES) {
      assert.deepEqual(namesAsked(turn, name), []);
      assert.equal(sum(ZONE[name], turn.packetsTo), 0);
    }
  });
}

async function assertHeld(attack: Attack): Promise<void> {
  const turn = await command(attack.script);
  assert.equal(attack.arrived(turn), false, `${turn.value}\n${JSON.stringify(turn.seen)}`);
  assert.notEqual(turn.code, HUNG, `it waited instead of being told: ${turn.value}`);
}

function ask(message: string): Promise<Watched<string>> {
  return world.during(() => gateway.ask(message));
}

let scripts = 0;

/** The agent runs a script with bash. `code` is how the script ended, HUNG when it did not by itself. */
async function command(script: string): Promise<Watched<string> & { readonly code: number }> {
  scripts += 1;
  const file = `/run/openclaw/script-${scripts}`;
  await world.host.shell(`cat >${file}`, { input: script });
  const turn = await ask(`EXEC timeout ${COMMAND_LIMIT_S} bash ${file} 2>&1; printf '\\nended %d\\n' $?`);
  const [, code] = /^ended (\d+)$/m.exec(turn.value) ?? [];
  assert.ok(code !== undefined, `OpenClaw did not wait for the end: ${turn.value}`);
  return { ...turn, code: Number(code) };
}

async function restart(wanted: Parameters<typeof startGateway>[1] = {}): Promise<void> {
  await gateway.stop();
  const started = await world.during(() => startGateway(world.host, wanted));
  gateway = started.value;
  for (const name of OPENCLAW_NAMES) assert.equal(sum(ZONE[name], started.packetsTo), 0, name);
}

async function apply(text: string): Promise<void> {
  const file = await seawall.policy(text);
  await seawall.ok("apply", file);
  await seawall.ok("confirm", "--console");
}

function namesAsked({ seen }: Watched<unknown>, name: string) {
  return seen.filter((one) => one.kind === "dns" && one.name === name);
}

function sum(addresses: readonly string[] | undefined, packetsTo: (address: string) => number): number {
  return (addresses ?? []).reduce((total, address) => total + packetsTo(address), 0);
}
