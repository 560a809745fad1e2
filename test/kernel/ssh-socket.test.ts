// Where systemd holds the listening socket of SSH, no sshd runs until somebody comes: the unit tells whose it is.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { CHECKOUT, type Machine, startMachine } from "../support/machine/machine.ts";

const UP_DEADLINE_MS = 120_000;
const SEAWALL = `"$(echo ${CHECKOUT}/node_modules/node-linux-*/bin/node)" ${CHECKOUT}/src/cli/main.ts`;
const OTHER = `
printf '[Socket]\\nListenStream=8088\\nAccept=yes\\n' >/etc/systemd/system/web.socket
printf '[Service]\\nExecStart=/bin/cat\\nStandardInput=socket\\n' >/etc/systemd/system/web@.service
systemctl daemon-reload
systemctl start web.socket
`;

describe("ssh.socket under systemd", () => {
  let machine: Machine;
  before(async () => {
    machine = await startMachine({ lower: "/", systemd: true });
    const isUp = async () =>
      (await machine.run(["sh", "-c", "systemctl is-system-running | grep -qE 'running|degraded'"])).code;
    assert.equal(await eventually(isUp, 0, UP_DEADLINE_MS), 0, "systemd is not up");
  });
  after(() => machine.stop());

  const shell = (script: string) => machine.shell(script, { deadlineMs: UP_DEADLINE_MS });
  const panic = async () => {
    const said = await shell(`${SEAWALL} panic 2>&1`);
    const rules = await shell("nft list table inet seawall");
    await shell(`${SEAWALL} panic --off`);
    return { said, rules };
  };

  it("is let in by a panic while nobody has come yet, and a socket of another unit is not", async () => {
    await shell(`systemctl start ssh.socket; ${OTHER}`);
    assert.equal((await machine.run(["pgrep", "-x", "sshd"])).code, 1, "no sshd runs yet");
    const { said, rules } = await panic();
    assert.match(said, /nothing but SSH comes in \(port 22\)/);
    assert.match(rules, /0\.0\.0\.0\/0 \. tcp \. 22 :/);
    assert.doesNotMatch(rules, /tcp \. 8088/);
  });

  it("is let in on the port of its drop-in", async () => {
    await shell(`
      mkdir -p /etc/systemd/system/ssh.socket.d
      printf '[Socket]\\nListenStream=\\nListenStream=2222\\n' >/etc/systemd/system/ssh.socket.d/port.conf
      systemctl daemon-reload
      systemctl restart ssh.socket`);
    const { rules } = await panic();
    assert.match(rules, /0\.0\.0\.0\/0 \. tcp \. 2222 :/);
    assert.match(rules, /::\/0 \. tcp \. 2222 :/);
  });

  it("is known to apply and status: no rule lets anybody in to that port", async () => {
    const policy =
      "version: 1\nmode: enforce\ninbound: [{allow: ssh, from: any, why: a rule of this test}]\n";
    await machine.shell("cat >/run/policy.yaml", { input: policy });
    const said = await shell(
      `${SEAWALL} apply /run/policy.yaml 2>&1; ${SEAWALL} status; ${SEAWALL} rollback`,
    );
    assert.equal(
      said.match(/NO SSH: this host's SSH listens on 2222, no rule lets anybody in/g)?.length,
      2,
      said,
    );
  });
});
