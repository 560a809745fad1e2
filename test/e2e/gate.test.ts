/** The real OpenClaw with `seawall gate` alone: its proxy and the host's resolver, and no rule in the kernel. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Host } from "../support/host/host.ts";
import { ATTACKS } from "./attack.ts";
import { type GateLine, startGate } from "./gate-alone.ts";
import { UNLISTED } from "./internet/zone.ts";
import { policy } from "./policy.ts";
import { attacksAreHeld, proxyCheckPasses, whatIsListedWorks } from "./row.ts";
import { PROXY_URL, type Scene, startScene } from "./scene.ts";

let scene: Scene;
let decisions: readonly GateLine[];
const theScene = () => scene;

before(async () => {
  scene = await startScene({ proxyUrl: PROXY_URL }, async (host) => {
    decisions = await startGate(host, policy("enforce", ["example.com"]));
    await useOwnResolver(host);
  });
});
after(async () => {
  await scene.stop();
});

describe("OpenClaw with the gate alone", () => {
  whatIsListedWorks(theScene);
  attacksAreHeld(
    theScene,
    ATTACKS.filter(({ needs }) => needs === "name"),
  );

  it("tells the agent the same id that it prints itself", async () => {
    const turn = await scene.command(`curl -sS http://${UNLISTED}/`);
    const printed = decisions.findLast(({ host, port }) => host === UNLISTED && port === 80);
    assert.deepEqual([printed?.verdict, printed?.reason], ["refuse", "default"]);
    assert.ok(printed?.id != null && turn.value.includes(printed.id), turn.value);
  });

  proxyCheckPasses(theScene, { on: async () => {}, off: async () => {} });

  // Why it is no containment by itself: the rest is the kernel's.
  it("does not hold what asks neither the proxy nor the resolver", async () => {
    const raw = ATTACKS.find(({ name }) => name === "a raw IPv4 address");
    assert.ok(raw !== undefined);
    const turn = await scene.command(raw.script);
    assert.equal(raw.arrived(turn), true, turn.value);
  });
});

async function useOwnResolver(host: Host): Promise<void> {
  await host.shell("echo 'nameserver 127.0.0.1' >/etc/resolv.conf");
}
