/** An agent's user, its process, its files and its own program: found, asked as its user, never believed blindly. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { start } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { ENVIRONMENT, type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { auditRun, audited, said, shellIn } from "./audit-on.ts";

const GATEWAY = fileURLToPath(new URL("gateway-server.ts", import.meta.url));
const RECORDED = readFileSync(new URL("../recorded/audit-exec-open-dm.json", import.meta.url), "utf8");
const TOKEN = "q8Zr2mVt5xKp9wLd3nBf7sHj4cGy6aEu";
const KEY = ["sk-ant", "api03-", "A".repeat(20), "b1C2d3E4f5G6h7I8j9K0".repeat(3)]
  .join("-")
  .replace("api03--", "api03-");
const HOME = "/run/home/agent";

const THIEF = `process.title = "openclaw-gateway";
require("node:http").createServer((request, response) => {
  console.log(request.method, request.url, request.headers.authorization);
  response.writeHead(401).end();
}).listen(18789, "127.0.0.1", () => console.log("ready " + process.pid));`;

const HARD = `{gateway: {mode: "local", bind: "loopback", auth: {mode: "token", token: "${TOKEN}"}},
tools: {exec: {mode: "deny"}, fs: {workspaceOnly: true}, elevated: {enabled: false}}}`;

describe("an agent on a host", () => {
  let host: Namespace;
  before(async () => {
    host = await startNamespace();
    await shellIn(
      host,
      `echo 'agent:x:4900:4900::${HOME}:/bin/sh' >>/etc/passwd; echo 'agent:x:4900:' >>/etc/group; echo 'agent:!:19000::::::' >>/etc/shadow
mkdir -p -m 755 /run/home; mkdir -p -m 700 ${HOME} ${HOME}/.openclaw ${HOME}/.local/bin; chown -R 4900:4900 ${HOME}
cat >${HOME}/recorded.json`,
      RECORDED,
    );
    await write(
      `${HOME}/.local/bin/openclaw`,
      `import { appendFileSync, readFileSync } from "node:fs";
appendFileSync("${HOME}/asked", process.getuid() + " " + process.argv.slice(2).join(" ") + "\\n");
if (process.argv[2] === "security") process.stdout.write(readFileSync("${HOME}/recorded.json"));
if (process.argv[2] === "secrets") console.log('{"summary":{"plaintextCount":0},"findings":[]}');
if (process.argv[2] === "doctor") console.log('{"ok":true,"findings":[]}');
`,
      0o700,
    );
  });
  after(() => host.stop());

  async function write(path: string, text: string, mode = 0o600): Promise<void> {
    await shellIn(
      host,
      `cat >'${path}'; chown 4900:4900 '${path}'; chmod ${mode.toString(8)} '${path}'`,
      text,
    );
  }

  async function withGateway(
    argv: readonly string[],
    uid: number,
    check: () => Promise<void>,
  ): Promise<void> {
    const user = uid === 0 ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
    const gateway = start(host.inside([...user, process.execPath, GATEWAY, ...argv]), {
      env: { ...ENVIRONMENT, HOME, OPENCLAW_SYSTEMD_UNIT: "openclaw-gateway.service" },
      cwd: "/",
    });
    const [pid] = (await once(gateway.stdout ?? process.stdin, "data")) as [Buffer];
    try {
      assert.ok(
        await eventually(async () => (await host.run(["nc", "-z", "127.0.0.1", "18789"])).code === 0, true),
      );
      await check();
    } finally {
      await shellIn(host, `kill -9 ${String(pid).trim()}`);
      assert.ok(
        await eventually(async () => (await host.run(["nc", "-z", "127.0.0.1", "18789"])).code !== 0, true),
      );
    }
  }

  test("as it should be: on loopback, 401 without and 200 with the token, under its own user", async () => {
    await write(`${HOME}/.openclaw/openclaw.json`, HARD);
    await withGateway(["127.0.0.1", TOKEN], 4900, async () => {
      const audit = await audited(host, "--layer", "app,secrets", "--quick");
      for (const id of ["APP-001", "APP-002", "APP-005", "APP-006", "APP-007", "APP-008", "SEC-002"])
        assert.equal(audit[id]?.status, "pass", `${id}: ${said(audit, id)}`);
      assert.match(said(audit, "APP-002"), /401 without a token, 200 with it/);
      assert.match(said(audit, "APP-013"), /2026\.9\.6/);
      assert.equal(audit["APP-014"]?.status, "unknown", "--quick runs nothing of OpenClaw");
    });
  });

  test("the file says loopback and a token, the process listens on all and asks for none", async () => {
    await withGateway(["0.0.0.0"], 0, async () => {
      const audit = await audited(host, "--layer", "app", "--quick");
      for (const id of ["APP-001", "APP-002", "APP-008"])
        assert.equal(audit[id]?.status, "fail", `${id}: ${said(audit, id)}`);
      assert.match(said(audit, "APP-001"), /0\.0\.0\.0:18789/);
      assert.match(said(audit, "APP-002"), /answered by 200/);
      assert.match(said(audit, "APP-008"), /runs as root/);
    });
  });

  test("its own program is asked as its own user, and once for the same configuration", async () => {
    await shellIn(host, `rm -f ${HOME}/asked; rm -rf /var/lib/seawall`);
    const first = await host.run(
      [
        process.execPath,
        fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url)),
        "audit",
        "--check",
        "APP-014",
        "--json",
      ],
      { deadlineMs: 60_000 },
    );
    assert.match(first.stdout, /gateway\.token_too_short|tools\.elevated/);
    const asked = await shellIn(host, `sort ${HOME}/asked`);
    assert.match(
      asked,
      /^4900 doctor --lint --json\n4900 secrets audit --json\n4900 security audit --json\n$/,
    );
    const second = await audited(host, "--check", "APP-014");
    assert.equal(second["APP-014"]?.status, "fail", said(second, "APP-014"));
    assert.equal(await shellIn(host, `sort ${HOME}/asked`), asked, "it was asked again");
    await write(`${HOME}/.openclaw/openclaw.json`, `${HARD}\n// changed\n`);
    await audited(host, "--check", "APP-014");
    assert.notEqual(
      await shellIn(host, `sort ${HOME}/asked`),
      asked,
      "a changed configuration is asked anew",
    );
  });

  test("a program that somebody else may write is not run", async () => {
    await write(`${HOME}/.openclaw/openclaw.json`, `${HARD}\n// again\n`);
    await shellIn(host, `rm -f ${HOME}/asked; chown 4901 ${HOME}/.local/bin/openclaw`);
    const audit = await audited(host, "--check", "APP-014");
    assert.equal(audit["APP-014"]?.status, "unknown");
    assert.match(said(audit, "APP-014"), /is not run: .* belongs to uid 4901/);
    assert.equal((await shellIn(host, `cat ${HOME}/asked 2>/dev/null || echo none`)).trim(), "none");
    await shellIn(host, `chown 4900 ${HOME}/.local/bin/openclaw`);
  });

  test("keys in the configuration, an .env for all, a history, a repository, a unit", async () => {
    await write(
      `${HOME}/.openclaw/openclaw.json`,
      `{models: {providers: {anthropic: {apiKey: "${KEY}"}}}}`,
      0o644,
    );
    await write(`${HOME}/.openclaw/.env`, `ANTHROPIC_API_KEY=${KEY}\n`, 0o644);
    await write(`${HOME}/.bash_history`, `ls\nexport ANTHROPIC_API_KEY=${KEY}\n`);
    await shellIn(
      host,
      `mkdir -p /etc/systemd/system; cat >/etc/systemd/system/openclaw.service`,
      `[Service]\nEnvironment=ANTHROPIC_API_KEY=${KEY}\n`,
    );
    await shellIn(
      host,
      `cd ${HOME}; mkdir -p .openclaw/workspace; chown 4900:4900 .openclaw/workspace; cat >/run/as-agent; chmod 755 /run/as-agent; setpriv --reuid=4900 --regid=4900 --clear-groups env HOME=${HOME} sh -eu /run/as-agent`,
      `cd ${HOME}/.openclaw/workspace; git init -q .; printf 'KEY=${KEY}\\n' >.env; git add .env; git -c user.name=a -c user.email=a@b commit -q -m one; git rm -q --cached .env; git -c user.name=a -c user.email=a@b commit -q -m two`,
    );
    const audit = await audited(host, "--layer", "secrets", "--quick");
    for (const id of ["SEC-001", "SEC-002", "SEC-003", "SEC-004", "SEC-005", "SEC-006", "SEC-008", "SEC-009"])
      assert.equal(audit[id]?.status, "fail", `${id}: ${said(audit, id)}`);
    assert.match(said(audit, "SEC-001"), /models\.providers\.anthropic\.apiKey/);
    assert.match(said(audit, "SEC-002"), /openclaw\.json: 0644/);
    assert.match(said(audit, "SEC-004"), /commit [0-9a-f]+ \.env: Anthropic API key/);
    assert.match(said(audit, "SEC-008"), /openclaw\.service:2/);
    assert.match(said(audit, "SEC-009"), /\.bash_history:2/);
    for (const format of ["json", "markdown", "html", "sarif", "text"]) {
      const { stdout } = await auditRun(
        host,
        "-o",
        format,
        "--no-history",
        "--quick",
        "--layer",
        "secrets,app",
      );
      assert.ok(!stdout.includes(KEY.slice(10, 40)), `${format} shows the key`);
    }
  });

  test("attack: files made to hold, mislead or break whoever reads them", async () => {
    await shellIn(
      host,
      `cd ${HOME}/.openclaw; rm -f openclaw.json .env; mkfifo .env; ln -s loop2 loop1; ln -s loop1 loop2; ln -s /etc/shadow openclaw.json
ln -sf /dev/zero ${HOME}/.bash_history; mkfifo ${HOME}/.profile; head -c 3000000 /dev/urandom >secrets.json.bak; mkdir -p agents/x/sessions; ln -s /proc/kcore agents/x/sessions/a.jsonl
mkdir -p "$(printf 'skills/evil\\033[2J\\nname')"; : >'.env.$(reboot)'; truncate -s 5G huge.bak; chown -hR 4900:4900 ${HOME}/.openclaw`,
    );
    const started = performance.now();
    const audit = await audited(host, "--layer", "app,secrets", "--quick");
    assert.ok(performance.now() - started < 30_000, "something held the audit");
    assert.equal(audit["APP-005"]?.status, "unknown", said(audit, "APP-005"));
    assert.match(said(audit, "APP-005"), /is reached by a link and was not read/);
    assert.ok(!JSON.stringify(audit).includes("root:"), "the text of another file is shown");
    const { stdout } = await auditRun(host, "--no-history", "--quick", "--layer", "app,secrets", "--all");
    assert.doesNotMatch(stdout, /\u001b|\u0007/);
  });

  test("attack: a gateway of somebody else that names the agent's configuration is not given its token", async () => {
    await shellIn(
      host,
      `rm -rf ${HOME}/.openclaw; mkdir -m 700 ${HOME}/.openclaw; chown 4900:4900 ${HOME}/.openclaw`,
    );
    await write(`${HOME}/.openclaw/openclaw.json`, HARD);
    const thief = start(
      host.inside([
        "setpriv",
        "--reuid=4950",
        "--regid=4950",
        "--clear-groups",
        "--",
        process.execPath,
        "-e",
        THIEF,
      ]),
      { env: { ...ENVIRONMENT, OPENCLAW_CONFIG_PATH: `${HOME}/.openclaw/openclaw.json` }, cwd: "/" },
    );
    let heard = "";
    thief.stdout?.on("data", (text) => (heard += String(text)));
    assert.ok(await eventually(async () => heard.includes("ready"), true));
    await audited(host, "--check", "APP-002", "--quick");
    assert.match(heard, /GET \/v1\/models/);
    assert.ok(!heard.includes(TOKEN), heard);
    await shellIn(host, `kill -9 ${/ready (\d+)/.exec(heard)?.[1] ?? ""}`);
  });

  test("attack: a process of anybody that calls itself sshd with a file of its own is not asked", async () => {
    await shellIn(
      host,
      `mkdir -p /run/sshd; echo 'Port 22' >/etc/ssh/sshd_config; ls /etc/ssh/ssh_host_ed25519_key >/dev/null 2>&1 || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
printf 'PasswordAuthentication yes\\nMatch exec "touch /run/home/agent/owned"\\n' >${HOME}/sshd.conf; chown 4900 ${HOME}/sshd.conf`,
    );
    const fake = start(
      host.inside([
        "setpriv",
        "--reuid=4900",
        "--clear-groups",
        "--regid=4900",
        "--",
        process.execPath,
        "-e",
        `process.title = "sshd: /usr/sbin/sshd -D -f ${HOME}/sshd.conf [listener] 0 of 10-100 startups"; setInterval(() => {}, 1000)`,
      ]),
      { env: ENVIRONMENT, cwd: "/" },
    );
    try {
      await eventually(async () => (await host.run(["pgrep", "-f", "listener"])).code === 0, true);
      await audited(host, "--check", "SSH-002");
      assert.equal((await shellIn(host, `test -e ${HOME}/owned && echo owned || echo safe`)).trim(), "safe");
    } finally {
      fake.kill("SIGKILL");
    }
  });
});
