/** The real OpenClaw in a world of its own: first without Seawall, so that what is refused later was possible. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";
import { ATTACKS } from "./attack.ts";
import { startDaemon } from "./daemon.ts";
import { openclaw } from "./gateway.ts";
import { PLAIN_ANSWER } from "./internet/model.ts";
import { LISTED, LISTED_4, NEIGHBOUR, UNLISTED } from "./internet/zone.ts";
import pinned from "./openclaw/package.json" with { type: "json" };
import { policy } from "./policy.ts";
import { attacksAreHeld, everythingIsPossible, proxyCheckPasses, whatIsListedWorks } from "./row.ts";
import { PROXY_URL, type Scene, assertNothingOfOpenClaw, startScene } from "./scene.ts";

/** The id of one refusal, as the gate, the log and `seawall explain` all say it. */
const REFUSAL_ID = /\bsw-[a-km-np-z2-9]{10}\b/;

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
    assert.equal(said.stdout.split(" ")[1], pinned.dependencies.openclaw, said.stderr);
  });

  everythingIsPossible(theScene);
});

describe("OpenClaw while Seawall watches", () => {
  before(async () => {
    await startDaemon(scene.host);
    await seawall.enforce(policy("observe"));
  });

  everythingIsPossible(theScene);

  it("is told what would have been refused", async () => {
    await scene.ask(`FETCH https://${UNLISTED}/`);
    const flows = await seawall.ok("flows", "--json", "--direction", "outbound", "--verdict", "refuse");
    const watched = flows.split("\n").filter((line) => line.includes('"observed":true'));
    assert.ok(watched.length > 0, flows);
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
      assert.match(turn.value, REFUSAL_ID);
      assert.match(turn.value, new RegExp(NEIGHBOUR));
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
      assert.match(turn.value, REFUSAL_ID);
      assert.match(turn.value, new RegExp(UNLISTED));
    });

    proxyCheckPasses(theScene, {
      on: () => seawall.enforce(policy("enforce", ["example.com"])),
      off: () => seawall.enforce(policy("enforce")),
    });
  });
});

function nodeFetches(name: string): string {
  return `node -e 'fetch("https://${name}/").then((r) => r.text()).then(console.log, (e) => console.log(e.cause))'`;
}
