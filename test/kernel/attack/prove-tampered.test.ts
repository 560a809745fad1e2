// An agent that wants a proof to look better than it is: its uid is that of the process that tries things.
import assert from "node:assert/strict";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { AGENT_UID, startWorld, type World } from "../gate/world.ts";

const ATTEMPT = fileURLToPath(new URL("../../../src/prove/attempt.ts", import.meta.url));
const POLICY = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: openclaw}}
inbound: []
outbound:
  - {id: site, allow: good.example.com, port: [80, 443], why: a rule of this test}
`;

let world: World;
before(async () => {
  world = await startWorld();
  await world.seawall.enforce(POLICY);
});
after(() => world.stop());

describe("the agent", () => {
  it("cannot look into or write to the process that tries things as its uid", async () => {
    const child = world.host.start([process.execPath, ATTEMPT, String(AGENT_UID), String(AGENT_UID), ""]);
    child.stdin?.write('{"id":1,"ask":{"do":"unix","paths":[]}}\n');
    await once(child.stdout ?? child, "data");
    const pid = (await world.host.shell("pgrep -f 'prove/[a]ttempt'")).trim();
    assert.match(pid, /^\d+$/);
    const owner = (await world.host.shell(`awk '/^Uid/ {print $3}' /proc/${pid}/status`)).trim();
    assert.equal(owner, String(AGENT_UID), "it does not run as the agent, so this shows nothing");
    for (const [word, command] of [
      ["its memory", `cat /proc/${pid}/mem`],
      ["its environment", `cat /proc/${pid}/environ`],
      ["its files", `ls /proc/${pid}/fd/`],
      ["its output", `echo x >/proc/${pid}/fd/1`],
    ] as const) {
      const { code, stderr } = await world.as(AGENT_UID, ["sh", "-c", command]);
      assert.notEqual(code, 0, word);
      assert.match(stderr, /Permission denied/, word);
    }
    child.stdin?.end();
    await once(child, "close");
  });

  it("that kills it gets no row that is held without evidence, and no exit code 0", async () => {
    const killing = world.host.start([
      "setpriv",
      `--reuid=${AGENT_UID}`,
      `--regid=${AGENT_UID}`,
      "--clear-groups",
      "sh",
      "-c",
      "while :; do pkill -KILL -u 4242 -f 'prove/[a]ttempt'; done",
    ]);
    try {
      const { code, stdout } = await world.seawall.run("prove", "--json");
      assert.notEqual(code, 0);
      const rows =
        stdout === ""
          ? []
          : (JSON.parse(stdout) as { rows: { status: string; id: string; evidence: string }[] }).rows;
      const isSaid = rows.some(({ evidence }) => evidence.includes("not shown: the attempt itself failed"));
      assert.ok(rows.length === 0 || isSaid, JSON.stringify(rows));
      // What was tried before the kill has its own evidence; nothing is held without.
      for (const { id, status, evidence } of rows)
        if (status === "held")
          assert.match(
            evidence,
            /ECONNREFUSED|EACCES|NXDOMAIN|unreachable|ACCESS_DENIED|^40[03]|not permitted|sudo|0 of 4/,
            id,
          );
    } finally {
      killing.kill("SIGKILL");
    }
  });
});
