/** Two whole hosts with real programs: one with every mistake of the guides, one as it should be. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/host/eventually.ts";
import { type Host, HOST4, startHost } from "../../support/host/host.ts";
import { inbound, seawallOn } from "../../support/host/seawall.ts";
import { auditRun } from "./audit-on.ts";

const GATEWAY = fileURLToPath(new URL("gateway-server.ts", import.meta.url));
const KEY = ["sk", "ant", "api03", "aB3".repeat(12)].join("-");
const TOKEN = "q8Zr2mVt5xKp9wLd3nBf7sHj4cGy6aEu";
const NAME = "agent.example.org";

interface Answer {
  readonly verdict: string;
  readonly score: number;
  readonly view: {
    readonly items: readonly {
      readonly text: string;
      readonly status: string;
      readonly evidence: readonly string[];
    }[];
  };
}

async function view(host: Host, name: string): Promise<Answer> {
  const { stdout } = await auditRun(host, "--json", "--no-history", "--quick", "--view", name);
  return JSON.parse(stdout) as Answer;
}

function statuses(answer: Answer): string {
  return answer.view.items
    .map(({ text, status, evidence }) => `${status}: ${text} (${evidence[0] ?? ""})`)
    .join("\n");
}

async function listening(host: Host, port: number): Promise<void> {
  assert.ok(
    await eventually(async () => (await host.run(["nc", "-z", "127.0.0.1", String(port)])).code === 0, true),
    `nobody listens on ${port}`,
  );
}

async function startGateway(host: Host, argv: readonly string[], uid: number, home: string): Promise<void> {
  const user = uid === 0 ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
  const gateway = host.start([...user, process.execPath, GATEWAY, ...argv], { env: { HOME: home } });
  assert.ok(gateway.stdout !== null);
  await once(gateway.stdout, "data");
}

describe("a host with every mistake of the guides", () => {
  let host: Host;
  before(async () => {
    host = await startHost({
      docker: { containers: [{ name: "openclaw-gateway", publish: [{ hostPort: 3000, port: 80 }] }] },
    });
    await host.shell(`mkdir -p /run/sshd /run/home/root/.openclaw; : >/run/auth.log
printf 'PermitRootLogin yes\\nPasswordAuthentication yes\\n' >/etc/ssh/sshd_config; rm -rf /etc/ssh/sshd_config.d
ls /etc/ssh/ssh_host_ed25519_key >/dev/null 2>&1 || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
rm -f /etc/apt/apt.conf.d/*unattended* /etc/apt/apt.conf.d/*auto-upgrades*
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /run/key.pem -out /run/cert.pem -days 2 -subj /CN=${NAME} 2>/dev/null
sed -i 's|^root:[^:]*:0:0:[^:]*:[^:]*:|root:x:0:0:root:/run/home/root:|' /etc/passwd
chmod 777 /run/home/root/.openclaw; cd /run/home/root; git init -q .; printf 'ANTHROPIC_API_KEY=${KEY}\\n' >.env; chmod 644 .env; git add .env; git -c user.name=a -c user.email=a@b commit -q -m keys`);
    await host.shell("cat >/run/home/root/.openclaw/openclaw.json", {
      input: `{gateway: {bind: "lan", auth: {mode: "none"}}, models: {providers: {anthropic: {apiKey: "${KEY}"}}}, channels: {telegram: {dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open"}}, tools: {exec: {mode: "full"}}}`,
    });
    await host.shell("cat >/etc/nginx/nginx.conf; nginx", {
      input: `pid /run/nginx.pid; error_log /run/nginx-error.log; events {} http { access_log off; server { listen 443 ssl; server_name ${NAME}; ssl_certificate /run/cert.pem; ssl_certificate_key /run/key.pem; location / { proxy_pass http://127.0.0.1:18789; } } }`,
    });
    host.start(["/usr/sbin/sshd", "-D"]);
    await startGateway(host, ["0.0.0.0"], 0, "/run/home/root");
    await listening(host, 443);
    await listening(host, 22);
  });
  after(() => host.stop());

  test("all eight layers fail", async () => {
    const answer = await view(host, "layers");
    assert.equal(answer.verdict, "exposed");
    for (const { text, status, evidence } of answer.view.items)
      assert.equal(status, "fail", `${text}: ${evidence.join("; ")}`);
  });

  test("the checklist of thirteen: eleven fail, two are for the operator to state", async () => {
    const answer = await view(host, "checklist");
    assert.deepEqual(
      answer.view.items.map(({ status }) => status),
      [...Array.from({ length: 11 }, () => "fail"), "unknown", "unknown"],
      statuses(answer),
    );
  });

  test("all six nevers are done, and the network checklist fails", async () => {
    for (const name of ["never", "network"]) {
      const answer = await view(host, name);
      assert.ok(
        answer.view.items.filter(({ status }) => status === "fail").length >= answer.view.items.length - 1,
        statuses(answer),
      );
    }
  });

  test("the exit code says so, and a stranger really gets in", async () => {
    assert.equal((await auditRun(host, "--no-history", "--quick", "--layer", "firewall")).code, 1);
    assert.equal(await host.upstream.connect({ to: HOST4, port: 18_789 }), "connected");
  });
});

describe("a host as it should be", () => {
  let host: Host;
  before(async () => {
    host = await startHost({});
    await host.shell(`mkdir -p /run/sshd /run/fail2ban /run/archive /etc/seawall; : >/run/auth.log
printf 'PermitRootLogin no\\nPasswordAuthentication no\\nKbdInteractiveAuthentication no\\nMaxAuthTries 3\\nAllowTcpForwarding local\\n' >/etc/ssh/sshd_config; rm -rf /etc/ssh/sshd_config.d; chmod 600 /etc/ssh/sshd_config
ls /etc/ssh/ssh_host_ed25519_key >/dev/null 2>&1 || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
echo 'claw:x:4900:4900::/run/home/claw:/usr/sbin/nologin' >>/etc/passwd; echo 'claw:x:4900:' >>/etc/group; mkdir -p -m 700 /run/home/claw/.openclaw
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /run/key.pem -out /run/cert.pem -days 60 -subj /CN=${NAME} 2>/dev/null
printf 'ann:$1$a$abcdefghijklmnopqrstuv\\n' >/run/users
rm -f /etc/fail2ban/jail.d/*; printf '[DEFAULT]\\nbanaction = nftables-multiport\\n[sshd]\\nenabled = true\\nbackend = polling\\nlogpath = /run/auth.log\\nmaxretry = 5\\nfindtime = 10m\\nbantime = 1h\\n' >/etc/fail2ban/jail.d/00.local
rm -f /etc/apt/apt.conf.d/*unattended* /etc/apt/apt.conf.d/*auto-upgrades*
printf 'APT::Periodic::Update-Package-Lists "1";\\nAPT::Periodic::Unattended-Upgrade "1";\\nUnattended-Upgrade::Origins-Pattern { "origin=Debian,codename=\${distro_codename}-security,label=Debian-Security"; };\\n' >/etc/apt/apt.conf.d/52seawall
printf 'attested:\\n  - {check: APP-017, says: alert at 20 USD a day, owner: ann, on: "%s"}\\n  - {check: APP-018, says: 50 USD a month, owner: ann, on: "%s"}\\n' "$(date -u +%F)" "$(date -u +%F)" >/etc/seawall/audit.yaml; chmod 600 /etc/seawall/audit.yaml`);
    await host.shell(
      `cd /run/archive; printf 'Package: seawall-none\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@example.org>\\nFilename: ./n.deb\\nSize: 1\\nSHA256: %064d\\nDescription: n\\n' 0 >Packages; . /etc/os-release; printf 'Origin: Debian\\nLabel: Debian-Security\\nSuite: stable-security\\nCodename: %s-security\\nDate: Sat, 21 Nov 2026 00:00:00 UTC\\nSHA256:\\n %s %s Packages\\n' "$VERSION_CODENAME" "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists; mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists/partial; echo 'deb [trusted=yes] file:/run/archive ./' >/etc/apt/sources.list; apt-get update -q >/dev/null`,
    );
    await host.shell(
      "cat >/run/home/claw/.openclaw/openclaw.json; chmod 600 /run/home/claw/.openclaw/openclaw.json; chown -R 4900:4900 /run/home/claw",
      {
        input: `{gateway: {bind: "loopback", auth: {mode: "token", token: "\${OPENCLAW_GATEWAY_TOKEN}"}, trustedProxies: ["127.0.0.1"]}, channels: {telegram: {dmPolicy: "pairing"}}, session: {dmScope: "per-channel-peer"}, tools: {exec: {mode: "deny"}, fs: {workspaceOnly: true}, elevated: {enabled: false}}}`,
      },
    );
    const headers =
      'add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always; add_header X-Content-Type-Options nosniff always; add_header X-Frame-Options DENY always;';
    await host.shell("cat >/etc/nginx/nginx.conf; nginx", {
      input: `pid /run/nginx.pid; error_log /run/nginx-error.log; events {} http { access_log off; server_tokens off; server { listen 443 ssl; server_name ${NAME}; ssl_certificate /run/cert.pem; ssl_certificate_key /run/key.pem; ${headers} auth_basic agent; auth_basic_user_file /run/users; location / { proxy_pass http://127.0.0.1:18789; proxy_set_header X-Forwarded-For $remote_addr; } } }`,
    });
    host.start(["/usr/sbin/sshd", "-D"]);
    host.start(["fail2ban-server", "-f", "start"]);
    await startGateway(host, ["127.0.0.1", TOKEN], 4900, "/run/home/claw");
    for (const port of [22, 443]) await listening(host, port);
    assert.equal(await eventually(async () => (await host.run(["fail2ban-client", "ping"])).code, 0), 0);
    await seawallOn(host).enforce(inbound("ssh from any", "https from any"));
  });
  after(() => host.stop());

  test("the checklist of thirteen holds", async () => {
    const answer = await view(host, "checklist");
    // There is no repository on this host: an item without an object does not apply.
    const wrong = answer.view.items.filter(({ status }) => status !== "pass" && status !== "not-applicable");
    assert.deepEqual(wrong, [], statuses(answer));
    assert.ok(answer.view.items.filter(({ status }) => status === "pass").length >= 12, statuses(answer));
  });

  test("none of the six nevers is done", async () => {
    const answer = await view(host, "never");
    assert.deepEqual(
      answer.view.items.filter(({ status }) => status === "fail"),
      [],
      statuses(answer),
    );
  });

  test("nothing critical fails, and a stranger reaches SSH and the web alone", async () => {
    const { code } = await auditRun(
      host,
      "--no-history",
      "--quick",
      "--fail-on",
      "critical",
      "--layer",
      "ssh,firewall,fail2ban,secrets,proxy,app",
    );
    assert.equal(code, 1, "the key that root has none of is said: SSH-020");
    assert.equal(await host.upstream.connect({ to: HOST4, port: 443 }), "connected");
    assert.equal(await host.upstream.connect({ to: HOST4, port: 18_789 }), "refused");
  });
});
