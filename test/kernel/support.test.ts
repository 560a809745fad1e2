// The bundle for a bug report: what is in it is said, and no secret, name or address of this machine is.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Daemon, startDaemon } from "../support/host/daemon.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { SEAWALL, type SeawallOnHost, seawallOn } from "../support/host/seawall.ts";

const SECRETS = {
  "of the environment": "env-5f2b9c1d7e8a4406b3",
  "of the environment, without digits": "correcthorsebatterystaple",
  "of openclaw.json": "oc-7d1e55aa90b24c3f8e",
  "in a comment of the policy": "Tr0ub4dor-and-three",
  "in a reason of the policy": "hunter2hunter2",
  "in a reason of the policy, of plain words": "opensesame",
  "with the format of a provider": `sk-ant-api03-${"Zx9".repeat(12)}`,
};
const NAMES = [
  "alice",
  "tenant-nine",
  "internal.example.org",
  "203.0.113.77",
  "seawall-host",
  "office-lan",
  "192.0.2.0",
];
const POLICY = `# the token is ${SECRETS["in a comment of the policy"]} and ${SECRETS["with the format of a provider"]}
version: 1
mode: {inbound: enforce, outbound: observe}
scopes: {agent: {user: alice}}
sets: {office-lan: [192.0.2.0/24]}
inbound:
  - {id: ssh, allow: ssh, from: any, why: "password ${SECRETS["in a reason of the policy"]} for administration"}
  - {id: tenant-nine, allow: 8082, from: [203.0.113.77, office-lan], owner: alice, why: "say ${SECRETS["in a reason of the policy, of plain words"]}"}
outbound:
  - {id: inside, allow: internal.example.org, why: a rule of this test}
`;

describe("a support bundle", () => {
  let host: Host;
  let seawall: SeawallOnHost;
  let daemon: Daemon;
  let said: string;
  let text: string;
  const env = {
    OPENCLAW_GATEWAY_TOKEN: SECRETS["of the environment"],
    GATEWAY_PASSWORD: SECRETS["of the environment, without digits"],
  };
  const bundle = async (path: string, ...flags: readonly string[]) => {
    const result = await host.run([...SEAWALL, "support", path, ...flags], { env, deadlineMs: 60_000 });
    assert.equal(result.code, 0, result.stderr);
    return { said: result.stdout, text: await host.shell(`tar xzOf ${path}`) };
  };
  before(async () => {
    host = await startHost();
    seawall = seawallOn(host);
    await host.shell(`
echo 'alice:x:4242:4242::/run/home/alice:/bin/sh' >>/etc/passwd
mkdir -p /etc/seawall /run/home/alice/.openclaw /run/home/root/.openclaw
cat >/etc/seawall/policy.yaml <<'POLICY'
${POLICY}POLICY
for home in alice root; do
  echo '{"gateway": {"auth": {"token": "${SECRETS["of openclaw.json"]}"}}}' >/run/home/$home/.openclaw/openclaw.json
done
`);
    daemon = await startDaemon(host);
    await seawall.ok("apply");
    await seawall.ok("confirm", "--console");
    ({ said, text } = await bundle("/run/bundle.tar.gz"));
  });
  after(() => host.stop());

  for (const [where, secret] of Object.entries(SECRETS)) {
    it(`holds no secret ${where}`, () => assert.ok(!text.includes(secret)));
  }
  for (const name of NAMES)
    it(`does not hold ${name}`, () => assert.ok(!text.includes(name), lineOf(text, name)));

  it("says what is in it, and everything that a report needs is", async () => {
    const listed = (await host.shell("tar tzf /run/bundle.tar.gz")).trim().split("\n");
    assert.deepEqual(listed, [
      "README.txt",
      "versions.json",
      "status.json",
      "policy.json",
      "table.txt",
      "history.json",
      "store.json",
      "audit.json",
      "seawalld.log",
    ]);
    for (const part of listed) assert.ok(said.includes(part), part);
    const part = (path: string) => host.shell(`tar xzOf /run/bundle.tar.gz ${path}`);
    const status = JSON.parse(await part("status.json")) as Record<string, unknown>;
    assert.deepEqual(
      { state: status["state"], generation: status["generation"] },
      { state: "enforcing", generation: 1 },
    );
    assert.match(await part("versions.json"), /"nft": "nftables v/);
    assert.match(await part("table.txt"), /chain g1\/zone\/world\/rule\/ssh \{/);
    assert.match(
      await part("table.txt"),
      /counter count_ssh \{\s+packets \d+ bytes \d+|packets \d+ bytes \d+/,
    );
    assert.match(await part("policy.json"), /"allow": "ssh"[^]*"allow": 8082/);
    assert.equal((await host.shell("stat -c %a /run/bundle.tar.gz")).trim(), "600");
  });

  it("has the same token for the same input, in every part and in the next bundle", async () => {
    const rule = /rule\/(text-[0-9a-f]{8})/.exec(text)?.[1];
    assert.ok(rule !== undefined);
    assert.ok(text.split(rule).length > 2);
    assert.ok((await bundle("/run/next.tar.gz")).text.includes(rule));
  });

  it("with --no-redact holds the names, says so, and no secret that is known to be one", async () => {
    const own = await bundle("/run/own.tar.gz", "--no-redact");
    assert.match(own.said, /NOT replaced/);
    for (const name of ["alice", "internal.example.org", "tenant-nine"])
      assert.ok(own.text.includes(name), name);
    for (const where of ["of the environment", "with the format of a provider", "of openclaw.json"] as const)
      assert.ok(!own.text.includes(SECRETS[where]), where);
  });

  it("is made on a damaged machine, too: what cannot be had is said", async () => {
    await daemon.kill();
    await host.shell(
      "head -c 9000 /dev/urandom >/var/lib/seawall/events.db; rm -f /var/lib/seawall/events.db-*; echo '{' >/etc/seawall/policy.yaml",
    );
    const damaged = await bundle("/run/damaged.tar.gz");
    assert.match(damaged.text, /damaged/);
    assert.match(damaged.text, /"unreadable": true/);
  });
});

function lineOf(text: string, word: string): string {
  return text.split("\n").find((line) => line.includes(word)) ?? "";
}
