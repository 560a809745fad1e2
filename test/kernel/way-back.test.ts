// Every line of the card of the way back, typed as it is printed: with seawalld alive and with nothing of it alive.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { cardText, installedCard } from "../../src/install/card.ts";
import { type Daemon, startDaemon } from "../support/host/daemon.ts";
import { eventually } from "../support/host/eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "../support/host/host.ts";
import { restart } from "../support/host/restart.ts";
import { inbound, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const SHARE = fileURLToPath(new URL("../../share", import.meta.url));
const OWNER4 = "45.33.32.156";
const OWNER6 = "2600::1";
const GATEWAY = 18_789;
const DOCKER_API = 2_375;
/** A policy that forgot SSH. */
const LOCKED_OUT = inbound("9000 from 198.51.100.0/24");
/** How long a line has to hold against whoever would heal over it: seawalld looks four times a second. */
const HELD_FOR_MS = 5_000;

/** What a line promises for the next start, and for the one after that. */
const PROMISES: readonly (readonly [RegExp, { readonly next: boolean; readonly afterwards: boolean }])[] = [
  [/^sudo seawall rescue$/, { next: true, afterwards: true }],
  [/^nft -f /, { next: false, afterwards: false }],
  [/^seawall=off$/, { next: true, afterwards: false }],
];

describe("the card of the way back", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    for (const port of [22, 9_000, GATEWAY, DOCKER_API]) await host.listen(port);
    // Where an installation puts them; the mounts are this host's own.
    await host.shell(`mkdir -p /run/bin /run/lib; cp ${SHARE}/boot/* /run/lib
mount -t tmpfs tmpfs /usr/local/bin; printf '#!/bin/sh\\nexec "$@"\\n' >/usr/local/bin/sudo
sed 's#/usr/lib/seawall#/run/lib#' ${SHARE}/bin/seawall >/usr/local/bin/seawall; chmod 755 /usr/local/bin/*`);
  });
  after(() => host.stop());

  const ssh = () => host.upstream.connect({ from: OWNER4, to: HOST4, port: 22 });
  const isRescued = async (): Promise<boolean> => {
    const ways = [ssh(), host.upstream.connect({ from: OWNER6, to: HOST6, port: 22 })];
    const guarded = [GATEWAY, DOCKER_API].map((port) =>
      host.upstream.connect({ from: OWNER4, to: HOST4, port }),
    );
    const all = await Promise.all([...ways, ...guarded]);
    return all.join() === "connected,connected,refused,refused";
  };
  const start = (parameters: string) => restart(host, `root=/dev/vda1 ${parameters} quiet`);

  it("has a promise for each of its lines", () => {
    for (const { command } of installedCard())
      assert.equal(PROMISES.filter(([line]) => line.test(command)).length, 1, command);
    assert.match(cardText(installedCard()), /^ {2}sudo seawall rescue +# now, and at every start$/m);
  });

  for (const { command } of installedCard()) {
    for (const isAlive of [true, false]) {
      it(`\`${command}\` lets SSH in, and nothing heals over it, with seawalld ${isAlive ? "alive" : "dead"}`, async () => {
        await host.shell("umount /proc/cmdline 2>/dev/null || true; rm -rf /var/lib/seawall");
        await seawall.run("down", "--yes");
        await seawall.ok("apply", await seawall.policy(LOCKED_OUT), "--accept-risk=lose-ssh");
        await seawall.ok("confirm", "--console");
        let daemon: Daemon | null = isAlive ? await startDaemon(host) : null;
        assert.equal(await ssh(), "refused");
        const isParameter = !command.includes(" ");
        if (isParameter) {
          await start(command);
          daemon = isAlive ? await startDaemon(host) : null;
        } else await host.shell(command.replace("/usr/lib/seawall", "/run/lib"));
        assert.equal(await eventually(isRescued, true), true, "SSH comes in, and the guards hold");
        await host.shell("nft add table inet something; nft delete table inet something");
        const until = Date.now() + HELD_FOR_MS;
        for (; Date.now() < until; await sleep(200)) assert.equal(await isRescued(), true, "and stays so");
        if (daemon !== null) assert.ok(daemon.runs());

        const promise = PROMISES.find(([line]) => line.test(command))?.[1];
        if (!isParameter) {
          await start("");
          assert.equal(await isRescued(), promise?.next, "what the card says of the next start");
        }
        await start("");
        assert.equal(await isRescued(), promise?.afterwards, "and of the one after it");
      });
    }
  }
});
