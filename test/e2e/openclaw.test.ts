/** The real OpenClaw in a world of its own: first without Seawall, so that what is refused later was possible. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { OPENCLAW_VERSION } from "../../src/lab/openclaw/install.ts";
import { PLAIN_ANSWER } from "../../src/lab/openclaw/model.ts";
import { eventually } from "../support/host/eventually.ts";
import { type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";
import { ATTACKS } from "./attack.ts";
import { killSeawall, startDaemon } from "../support/host/daemon.ts";
import { openclaw } from "./gateway.ts";
import { LISTED, LISTED_4, NEIGHBOUR, UNLISTED } from "./internet/zone.ts";
import { policy } from "./policy.ts";
import {
  attacksAreHeld,
  everythingIsPossible,
  proxyCheckPasses,
  proxyCheckTellsApart,
  whatIsListedWorks,
} from "./row.ts";
import { PROXY_URL, type Scene, assertNothingOfOpenClaw, startScene } from "./scene.ts";

/** The id of one refusal, as the gate, the log and `seawall explain` all say it. */
const REFUSAL_ID = /\bsw-[a-km-np-z2-9]{20}\b/;
const BACK_DEADLINE_MS = 60_000;

let scene: Scene;
let seawall: SeawallOnHost;
const theScene = () => scene;

before(async () => {
  scene = await startScene();
  seawall = seawallOn(scene.host);
});
after(async () => {
  await scene.stop();
});

describe("OpenClaw without Seawall", () => {
  it("is the version that is pinned", async () => {
    const said = await openclaw(scene.host, "--version");
    assert.equal(said.stdout.split(" ")[1], OPENCLAW_VERSION, said.stderr);
  });

  everythingIsPossible(theScene);
});

describe("OpenClaw while Seawall watches", () => {
  before(async () => {
    await startDaemon(scene.host);
    await seawall.enforce(policy("observe"));
  });

  everythingIsPossible(theScene);

  it("leaves a record of what would have been refused, by name", async () => {
    await scene.ask(`FETCH https://${UNLISTED}/`);
    const isLogged = async () =>
      (await refusals()).some(({ host, observed }) => host === UNLISTED && observed);
    assert.equal(await eventually(isLogged, true), true);
  });

  it("goes on when every process of Seawall is killed", async () => {
    await killSeawall(scene.host);
    assert.equal(await eventually(hasTurn, true, BACK_DEADLINE_MS), true, scene.gateway().log());
    const turn = await scene.command(`curl -sS https://${UNLISTED}/`);
    assert.match(turn.value, new RegExp(`REACHED ${UNLISTED}`));
    await startDaemon(scene.host);
  });
});

describe("OpenClaw behind Seawall", () => {
  before(() => seawall.enforce(policy("enforce")));

  it("goes on with the gateway that ran before", async () => {
    assert.match((await scene.ask("hello")).value, new RegExp(PLAIN_ANSWER));
  });

  describe("started behind it", () => {
    before(async () => assertNothingOfOpenClaw(await scene.restart()));
    whatIsListedWorks(theScene);
    attacksAreHeld(theScene, ATTACKS);

    it("runs node's fetch of a listed name", async () => {
      const turn = await scene.command(nodeFetches(LISTED));
      assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
    });

    it("is told by name and id when it says an unlisted name to a listed name's address", async () => {
      await scene.command(`curl -sS -o /dev/null http://${LISTED}/`);
      const turn = await scene.command(`curl -sS --resolve ${NEIGHBOUR}:80:${LISTED_4} http://${NEIGHBOUR}/`);
      await assertToldAndLogged(turn.value, NEIGHBOUR);
    });
  });

  describe("started with Seawall as its proxy", () => {
    before(async () => assertNothingOfOpenClaw(await scene.restart({ proxyUrl: PROXY_URL })));
    whatIsListedWorks(theScene);
    attacksAreHeld(theScene, ATTACKS);

    it("runs node's fetch of a listed name, which asks no proxy", async () => {
      const turn = await scene.command(nodeFetches(LISTED));
      assert.match(turn.value, new RegExp(`REACHED ${LISTED}`));
    });

    it("is told by name and id what its command was refused", async () => {
      const turn = await scene.command(`curl -sS http://${UNLISTED}/`);
      await assertToldAndLogged(turn.value, UNLISTED);
    });

    proxyCheckTellsApart(theScene);
    proxyCheckPasses(theScene, {
      on: () => seawall.enforce(policy("enforce", ["example.com"])),
      off: () => seawall.enforce(policy("enforce")),
    });
  });
});

describe("OpenClaw while every process of Seawall is dead", () => {
  before(async () => {
    await seawall.enforce(policy("enforce"));
    await killSeawall(scene.host);
  });

  for (const { name, script, arrived } of ATTACKS) {
    it(`does not get out by ${name}`, async () => {
      const run = await scene.direct(script);
      assert.equal(arrived(run), false, `${run.value}\n${JSON.stringify(run.seen)}`);
    });
  }

  it("has turns with its model again once seawalld is back", async () => {
    await startDaemon(scene.host);
    assert.equal(await eventually(hasTurn, true, BACK_DEADLINE_MS), true, scene.gateway().log());
  });
});

const FLOW = z.object({
  host: z.string().nullish(),
  observed: z.boolean(),
  refusal: z.string().nullish(),
});

/** What Seawall's log says that it refused, or would have. */
async function refusals(): Promise<readonly z.infer<typeof FLOW>[]> {
  const text = await seawall.ok("flows", "--json", "--verdict", "refuse", "--limit", "1000");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => FLOW.parse(JSON.parse(line)));
}

/** Fails unless the agent was told an id for this name and the log knows the same one. */
async function assertToldAndLogged(text: string, name: string): Promise<void> {
  const [id] = REFUSAL_ID.exec(text) ?? [];
  assert.ok(id !== undefined && text.includes(name), text);
  const isLogged = async () =>
    (await refusals()).some(({ host, refusal }) => host === name && refusal === id);
  assert.equal(await eventually(isLogged, true), true, id);
}

async function hasTurn(): Promise<boolean> {
  return (await scene.ask("hello").catch(() => null)) !== null;
}

function nodeFetches(name: string): string {
  return `node -e 'fetch("https://${name}/").then((r) => r.text()).then(console.log, (e) => console.log(e.cause))'`;
}
