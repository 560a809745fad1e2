/** The DNS door where nothing is enforced, and where seawalld pins only what the policy opens. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RCODE, TYPE } from "../../src/core/dns/message.ts";
import type { Place } from "../../src/edge/gate/tcp-door.ts";
import { askUdp } from "./dns-client.ts";
import { addresses } from "./name-server.ts";
import { openRoom, type Room, type RoomOptions } from "./room.ts";

const NAME = "api.example.com";
const RULES = [`allow: ${NAME}`];
const ANSWER = addresses(["93.184.216.34"]);

let room: Room;
let door: Place;
async function open(options: Partial<RoomOptions> = {}): Promise<void> {
  room = await openRoom({ rules: RULES, react: () => ANSWER, ...options });
  door = await room.openDns();
}
afterEach(() => room.close());

const asked = (): number => room.resolver.heard.length;

describe("observe", () => {
  /** As seawalld does it: what the policy opens nothing for is not pinned. */
  const asDaemon = (): void => {
    room.pins.answer = ({ host, addresses: wanted }) =>
      wanted.some((ip) => {
        const { webPorts, direct } = room.scope.judge().pinnable(host, ip, room.clock.nowMs);
        return webPorts.length + direct.length > 0;
      });
  };

  test("a name that is not listed is answered, and told", async () => {
    await open({ mode: "observe" });
    asDaemon();
    assert.deepEqual((await askUdp(door, "other.example.org")).addresses, ["93.184.216.34"]);
    assert.deepEqual(
      room.reports.map(({ host, decision }) => [host, decision.observed]),
      [["other.example.org", true]],
    );
  });

  test("a name above a listed one is answered", async () => {
    await open({ mode: "observe" });
    asDaemon();
    assert.deepEqual((await askUdp(door, "example.com")).addresses, ["93.184.216.34"]);
  });

  test("a private address is answered", async () => {
    await open({ mode: "observe", react: () => addresses(["10.0.0.5"]) });
    asDaemon();
    assert.deepEqual((await askUdp(door, NAME)).addresses, ["10.0.0.5"]);
  });

  test("a daemon that is gone breaks nothing", async () => {
    await open({ mode: "observe" });
    room.pins.answer = () => false;
    assert.deepEqual((await askUdp(door, NAME)).addresses, ["93.184.216.34"]);
  });

  test("every record type is passed on as it is", async () => {
    await open({ mode: "observe" });
    for (const type of [TYPE.HTTPS, TYPE.TXT, TYPE.MX, TYPE.SRV]) {
      assert.equal((await askUdp(door, NAME, { type })).answer.rcode, RCODE.noerror);
    }
    assert.equal(asked(), 4);
  });

  test("the name of a metadata service is refused all the same", async () => {
    await open({ mode: "observe" });
    const { answer } = await askUdp(door, "metadata.google.internal");
    assert.equal(answer.rcode, RCODE.nxdomain);
    assert.equal(asked(), 0);
  });
});

describe("enforce, with a daemon that pins only what the policy opens", () => {
  test("an address that an address rule denies is no failure of the kernel", async () => {
    await open({ rules: [...RULES, "deny: 93.184.216.0/24"] });
    room.pins.answer = ({ host, addresses: wanted }) =>
      wanted.some((ip) => room.scope.judge().pinnable(host, ip, room.clock.nowMs).webPorts.length > 0);
    const { answer, bytes } = await askUdp(door, NAME);
    assert.doesNotMatch(Buffer.from(bytes).toString("latin1"), /kernel/);
    assert.notEqual(answer.rcode, RCODE.servfail);
  });
});
