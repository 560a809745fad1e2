// The agent may log in to its own host and type `confirm`: that shows nothing about a login from outside.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { HOST4, type Host, startHost } from "../../support/host/host.ts";
import { SEAWALL_WORDS, type SeawallOnHost, seawallOn } from "../../support/host/seawall.ts";

const OPERATOR = "198.51.100.7";
const POLICY = `version: 1
mode: enforce
scopes: {agent: {user: operator}}
inbound:
  - {allow: ssh, from: ${OPERATOR}, why: the operator alone}
outbound:
  - {allow: [${HOST4}, 127.0.0.1], port: 22, private: true, why: the agent may log in to its own host}
accept_risk:
  - {scope: agent, reason: an agent under the login of a person, by: test, expires: 2099-01-01}
`;

describe("a confirm over a new connection that began on the host itself", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  const agent = ["setpriv", "--reuid", "4800", "--regid", "4800", "--clear-groups"];
  before(async () => {
    host = await startHost({ sshd: { ports: [22] } });
    seawall = seawallOn(host);
    await host.shell("cp -r /run/ssh-client /run/agent-client; chown -R 4800:4800 /run/agent-client");
    await seawall.ok("apply", await seawall.policy(POLICY));
  });
  after(() => host.stop());

  const confirm = `${SEAWALL_WORDS} confirm`;
  for (const to of [HOST4, "127.0.0.1"]) {
    it(`to ${to} is refused`, async () => {
      const client = host.ssh.argv(confirm, { to }).map((word) => word.replace("ssh-client", "agent-client"));
      const { code, stderr } = await host.run([...agent, ...client]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /SEAWALL_NOT_CONFIRMED/);
      assert.equal((await seawall.status()).state, "pending");
    });
  }

  it("is no reason to refuse the operator, who comes from outside", async () => {
    const { code, stderr } = await host.ssh.run(confirm, { from: OPERATOR });
    assert.equal(code, 0, stderr);
    assert.equal((await seawall.status()).state, "enforcing");
  });
});
