// Mosh starts over ssh and then lives on UDP: no ssh connection is left that could tell where the operator is.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { type Host, startHost } from "../support/host/host.ts";
import { MOSH_PORTS, type Mosh, openMosh } from "../support/host/mosh.ts";
import { SEAWALL_WORDS, type SeawallOnHost, inbound, seawallOn } from "../support/host/seawall.ts";

describe("an operator logged in by mosh", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let mosh: Mosh;
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
    await seawall.enforce(inbound("ssh from any", `${MOSH_PORTS} from any`));
    mosh = await openMosh(host);
  });
  after(async () => {
    await mosh.close();
    await host.stop();
  });
  afterEach(async () => {
    await seawall.withdraw();
  });

  const propose = async () => {
    const text = inbound("ssh from any", `${MOSH_PORTS} from any`, "9000 from any");
    return seawall.ok("apply", await seawall.policy(text));
  };

  it("cannot confirm by the session that was there before apply", async () => {
    await propose();
    const said = await mosh.type(`${SEAWALL_WORDS} confirm`);
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_NOT_CONFIRMED/);
    assert.equal((await seawall.status()).state, "pending");
  });

  it("is not at the console", async () => {
    await propose();
    const said = await mosh.type(`${SEAWALL_WORDS} confirm --console`);
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_NOT_CONFIRMED/);
    assert.equal((await seawall.status()).state, "pending");
  });

  it("is refused a policy under which they could not log in again", async () => {
    const untouched = await host.seawallTable();
    const path = await seawall.policy(inbound("ssh from 192.0.2.0/24"));
    const said = await mosh.type(`${SEAWALL_WORDS} apply ${path}`);
    assert.equal(said.code, 2, said.text);
    assert.match(said.text, /SEAWALL_LOCKOUT/);
    assert.equal(await host.seawallTable(), untouched);
  });
});
