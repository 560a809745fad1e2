// What `prove` tries itself is not shown as the agent's; an agent that does the very same is shown all the same.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { startWorld, type World } from "../gate/world.ts";
import { CORPUS_ADDRESSES } from "../prove-rows.ts";

const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, why: a rule of this test}
`;

interface Row {
  readonly host: string | null;
  readonly destination: string;
  readonly destinationPort: number | null;
  readonly sourcePort: number | null;
  readonly protocol: string;
  readonly prove?: boolean;
}

describe("the traffic of a proof", () => {
  let world: World;
  let owns: readonly Row[];
  before(async () => {
    world = await startWorld();
    for (const address of CORPUS_ADDRESSES) await world.host.upstream.own(address);
    await world.seawall.enforce(POLICY);
    await world.seawall.run("prove", "--json");
    await eventually(async () => (await rows("--all")).some(({ prove }) => prove === true), true, 30_000);
    owns = (await rows("--all")).filter(({ prove }) => prove === true);
  });
  after(() => world.stop());

  async function rows(...words: readonly string[]): Promise<Row[]> {
    const text = await world.seawall.ok("flows", "--json", "--limit", "5000", ...words);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);
  }

  it("is marked with --all, and hidden and counted without it", async () => {
    assert.ok(
      owns.some(({ host }) => host?.endsWith(".seawall-prove.invalid") === true),
      "questions for made-up names",
    );
    assert.ok(
      owns.some(({ sourcePort, protocol }) => sourcePort !== null && protocol === "tcp"),
      "connections",
    );
    const shown = await rows();
    assert.ok(shown.every(({ prove }) => prove !== true));
    assert.deepEqual(
      shown.filter(({ host }) => host?.endsWith(".seawall-prove.invalid") === true),
      [],
    );
    const { stderr } = await world.seawall.run("flows");
    assert.match(stderr, /\d+ rows of `seawall prove` are not shown \(--all shows them\)/);
  });

  it("does not lend itself to an agent that does the same from the same ports, or asks for such names", async () => {
    const target = owns.find(({ sourcePort, protocol }) => sourcePort !== null && protocol === "tcp");
    assert.ok(target?.sourcePort != null);
    const shownBefore = (await rows()).length;
    // The agent's own uid, an attempt's destination and source port; and a name in the zone of the proof.
    await world.host.run([
      "setpriv",
      "--reuid",
      "4242",
      "--regid",
      "4242",
      "--clear-groups",
      process.execPath,
      "-e",
      `const [host, port, localPort] = process.argv.slice(1);
       require("node:net").connect({ host, port: +port, localPort: +localPort }).on("error", () => process.exit(0));
       setTimeout(() => process.exit(0), 2000)`,
      target.destination,
      String(target.destinationPort),
      String(target.sourcePort),
    ]);
    const isShown = async (): Promise<boolean> =>
      (await rows()).some(
        (one) => one.destination === target.destination && one.sourcePort === target.sourcePort,
      );
    assert.equal(await eventually(isShown, true, 20_000), true);
    assert.ok((await rows()).length > shownBefore);
  });
});
