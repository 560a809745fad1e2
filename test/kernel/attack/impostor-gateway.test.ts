// Processes that call themselves OpenClaw's gateway, of other users or of the agent's own, hide no OpenClaw.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { SEAWALL } from "../../support/host/seawall.ts";

const AGENT = 4900;
const MALLORY = 4901;
const CONFIG = "/run/home/agent/.openclaw/openclaw.json";
const PORTS_FROM = 20_000;
const READY = "/run/tmp/impostors";

/** One process with the gateway's name, a configuration of its own, and a listening socket where it gets a port. */
const IMPOSTOR = `use Socket; my $port = shift;
$0 = "openclaw-gateway"; $SIG{ALRM} = "DEFAULT"; alarm 300;
socket(my $s, PF_INET, SOCK_STREAM, 0);
if ($port) { bind($s, sockaddr_in($port, inet_aton("127.0.0.1"))) or die; listen($s, 1) or die; }
open(my $f, ">>", "${READY}"); syswrite($f, "$$\\n"); close $f; sleep 300;`;

/** As many as it is told. */
const IMPOSTORS = `my ($count, $listens, $impostor) = @ARGV;
for my $n (1 .. $count) {
  next if fork();
  $ENV{OPENCLAW_STATE_DIR} = "/run/tmp/state-$n";
  exec "perl", "-e", $impostor, $listens ? ${PORTS_FROM} + $n : 0;
}
1 while wait() > 0;`;

interface Finding {
  readonly status: string;
  readonly evidence: readonly string[];
}

describe("impostors of the gateway", () => {
  let host: Namespace;
  const shell = async (script: string, input = ""): Promise<string> => {
    const { code, stdout, stderr } = await host.run(["sh", "-euc", script], { input });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  before(async () => {
    host = await startNamespace();
    await shell(
      `printf 'agent:x:${AGENT}:${AGENT}::/run/home/agent:/bin/sh\\nmallory:x:${MALLORY}:${MALLORY}::/nonexistent:/bin/sh\\n' >>/etc/passwd
mkdir -p -m 755 /run/home /run/home/agent /run/home/agent/.openclaw; cat >${CONFIG}; chown -R ${AGENT}:${AGENT} /run/home/agent`,
      '{channels: {telegram: {enabled: true, dmPolicy: "open"}}}',
    );
  });
  after(() => host.stop());

  const audit = async (): Promise<Record<string, Finding>> => {
    const words = ["audit", "--quick", "--json", "--no-history", "--check", "APP-003,APP-012"];
    const { stdout, stderr } = await host.run([...SEAWALL, ...words], { deadlineMs: 120_000 });
    assert.notEqual(stdout, "", stderr);
    const { findings } = JSON.parse(stdout) as { findings: (Finding & { id: string })[] };
    return Object.fromEntries(findings.map((finding) => [finding.id, finding]));
  };
  const init = async (): Promise<{ instances: { config: string; pid: number | null }[]; open: string[] }> => {
    const { stdout, stderr } = await host.run([...SEAWALL, "init", "--dry-run", "--json"], {
      deadlineMs: 120_000,
    });
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout) as never;
  };

  for (const [who, uid] of [
    ["another user", MALLORY],
    ["the agent itself", AGENT],
  ] as const) {
    for (const [count, listens] of [
      [64, true],
      [65, true],
      [200, true],
      [200, false],
    ] as const) {
      it(`${count} of ${who}, that ${listens ? "listen" : "listen on nothing"}`, async () => {
        await shell(`rm -f ${READY}; touch ${READY}; chmod 666 ${READY}`);
        const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
        const started = host.run(
          [...user, "perl", "-e", IMPOSTORS, String(count), listens ? "1" : "", IMPOSTOR],
          {
            deadlineMs: 300_000,
          },
        );
        const lines = async () => (await shell(`wc -l <${READY}`)).trim();
        assert.equal(await eventually(lines, String(count), 60_000), String(count));
        try {
          const [found, report] = [await audit(), await init()];
          assert.equal(found["APP-003"]?.status, "fail", JSON.stringify(found["APP-003"]));
          assert.match(found["APP-003"].evidence.join("\n"), /telegram\.dmPolicy is open/);
          assert.ok(
            report.instances.some(({ config, pid }) => config === CONFIG && (pid === null || uid === AGENT)),
          );
          const said = report.open.join("\n");
          if (listens) {
            assert.equal(found["APP-012"]?.status, "unknown", JSON.stringify(found["APP-012"]));
            // `init` takes those of a user that name one configuration for one, so that none is left out.
            assert.ok(report.instances.length <= 2, JSON.stringify(report.instances));
          } else {
            assert.equal(found["APP-012"]?.status, "pass", JSON.stringify(found["APP-012"]));
            assert.match(said, new RegExp(`${count} processes of uid ${uid} call themselves`));
          }
        } finally {
          // The host has its own process numbers: no process of this machine is among them.
          await shell(`kill -KILL $(cat ${READY})`);
          await started;
        }
      });
    }
  }
});
