// Ports that an ssh session forwards belong to the same sshd, but who connects there is no operator.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { HOST4, type Host, startHost } from "../support/host/host.ts";
import { SEAWALL_WORDS, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";
import { type Session, openSession } from "../support/host/session.ts";

const OPERATOR = "198.51.100.7";
const STRANGER = "45.33.32.156";
const FORWARDED = 9000;

describe("a stranger on a port that an old ssh session forwards", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let session: Session;
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
    await seawall.enforce(inbound("ssh from any", `${FORWARDED} from any`));
    host.upstream.start(["nc", "-lk", "127.0.0.1", "7777"]);
    const forward = ["-R", `0.0.0.0:${FORWARDED}:127.0.0.1:7777`];
    session = await openSession(host, { from: OPERATOR, args: forward });
  });
  after(async () => {
    session.close();
    await host.stop();
  });

  it("does not confirm for the operator", async () => {
    await seawall.ok(
      "apply",
      await seawall.policy(inbound("ssh from any", `${FORWARDED} from any`, "9001 from any")),
    );
    const stranger = await host.upstream.open({ from: STRANGER, to: HOST4, port: FORWARDED });
    assert.equal(stranger.outcome, "connected");
    const said = await session.say(`${SEAWALL_WORDS} confirm`);
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_NOT_CONFIRMED/);
    await seawall.withdraw();
  });

  it("is no reason to refuse a policy that keeps only the operator's login", async () => {
    const stranger = await host.upstream.open({ from: STRANGER, to: HOST4, port: FORWARDED });
    assert.equal(stranger.outcome, "connected");
    await seawall.ok("apply", await seawall.policy(inbound(`ssh from ${OPERATOR}`)));
    await seawall.withdraw();
  });
});
