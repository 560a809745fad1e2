/** `seawall init` on a whole machine: real sshd and UFW, a gateway by its process title, users who lie. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Finished } from "../support/host/command.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { SEAWALL } from "../support/host/seawall.ts";

const CONFIG = `{
  agents: { defaults: { model: "anthropic/claude-sonnet-4-6" } },
  channels: { telegram: { botToken: "123456:SECRET" } },
  models: { providers: { local: { baseUrl: "http://127.0.0.1:11434/v1" } } },
}`;

/** Two honest instances (one runs), and mallory, who points at everything that is not his. */
const SET_UP = `
for user in openclaw:991 ann:992 mallory:993; do
  name=\${user%:*} uid=\${user#*:}
  echo "$name:x:$uid:$uid::/run/home/$name:/usr/sbin/nologin" >>/etc/passwd
  install -d -o $uid -g $uid -m 700 /run/home/$name
  install -d -o $uid -g $uid -m 700 /run/home/$name/.openclaw
done
chmod 711 /run/home
cat >/run/home/openclaw/.openclaw/openclaw.json
echo 'GROQ_API_KEY=gsk_SECRET' >/run/home/openclaw/.openclaw/.env
echo '{channels: {discord: {}}}' >/run/home/ann/.openclaw/openclaw.json
chown -R 991:991 /run/home/openclaw/.openclaw; chmod 600 /run/home/openclaw/.openclaw/*
chown -R 992:992 /run/home/ann/.openclaw
cd /run/home/mallory
for one in shadow pipe huge loop include folder; do install -d -o 993 -g 993 .openclaw-$one; done
rm -r .openclaw
ln -s /etc/shadow .openclaw-shadow/openclaw.json
mkfifo .openclaw-pipe/openclaw.json
truncate -s 1G .openclaw-huge/openclaw.json
ln -s openclaw.json .openclaw-loop/openclaw.json
echo '{$include: ["openclaw.json", "x", "../../openclaw/.openclaw/openclaw.json", "/etc/shadow"], channels: {line: {}}}' >.openclaw-include/openclaw.json
ln -s /run/home/openclaw/.openclaw/openclaw.json .openclaw-include/x
rm -r .openclaw-folder; ln -s /run/home/openclaw/.openclaw .openclaw-folder
chown -hR 993:993 /run/home/mallory
`;

const GATEWAY = `process.title = "openclaw-gateway"; require("node:net").createServer().listen(+process.argv[1], "127.0.0.1", () => console.log("ready"))`;

/** An \`openclaw\` that says who runs it, from where and with what, and agrees unless a file says no. */
const OPENCLAW = `#!/bin/sh
{ echo "uid $(id -u) groups $(id -G) args $*"; echo "home $HOME config $OPENCLAW_CONFIG_PATH cwd $PWD"
  echo "tty $(ps -o tty= -p $$) sudo \${SUDO_USER-} privs $(sed -n 's/^NoNewPrivs:\\s*//p' /proc/self/status)"
  case "$2" in patch) cat "$4";; esac; } >>"$HOME/said"
case "$*" in *--dry-run*) ;; *--json*) echo '--json requires --dry-run'; exit 1;; esac
if [ -e "$HOME/refuse" ]; then echo '{"ok":false,"error":"unknown key"}'; exit 1; fi
echo '{"ok":true,"operations":1}'
`;

interface Report {
  readonly written: { readonly path: string; readonly how: string } | null;
  readonly policy: string;
  readonly instances: readonly {
    readonly config: string;
    readonly user: string;
    readonly uid: number;
    readonly pid: number | null;
  }[];
  readonly found: readonly { readonly word: string; readonly text: string }[];
  readonly open: readonly string[];
  readonly proxy: readonly {
    readonly config: string;
    readonly result: string;
    readonly why: string | null;
  }[];
  readonly next: string;
}

describe("init on a machine", () => {
  let host: Host;
  const seawall = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Finished> => host.run([...SEAWALL, ...args], { env, deadlineMs: 60_000 });
  const report = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Report> => {
    const done = await seawall(["init", "--json", ...args], env);
    assert.equal(done.stderr, "");
    return JSON.parse(done.stdout) as Report;
  };
  const gateway = async (uid: number, port: number, env: readonly string[]): Promise<void> => {
    const as = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "env", "-i", ...env];
    const child = host.start([...as, process.execPath, "-e", GATEWAY, String(port)]);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("close", () => reject(new Error("the gateway ended")));
    });
  };

  before(async () => {
    host = await startHost({ ufw: ["allow 22/tcp"], sshd: { ports: [22, 2222] } });
    await host.shell(SET_UP, { input: CONFIG });
    // First, so that it has the lower number: mallory says that openclaw's instance is his.
    await gateway(993, 18_700, [
      "OPENCLAW_CONFIG_PATH=/run/home/openclaw/.openclaw/openclaw.json",
      "HOME=/run/home/mallory",
    ]);
    await gateway(991, 18_789, ["HOME=/run/home/openclaw", "MISTRAL_API_KEY=SECRET"]);
  });
  after(() => host.stop());

  test("finds every honest instance with its user, those that run by their process", async () => {
    const { instances } = await report(["--dry-run"]);
    const honest = instances.filter(({ uid }) => uid !== 993);
    assert.deepEqual(
      honest.map(({ config, user, pid }) => `${config} ${user} ${pid === null ? "idle" : "runs"}`),
      [
        "/run/home/openclaw/.openclaw/openclaw.json openclaw runs",
        "/run/home/ann/.openclaw/openclaw.json ann idle",
      ],
    );
  });

  test("reads the configuration, its .env and the process's variables, and shows no secret", async () => {
    const { policy, found, open } = await report(["--dry-run"]);
    assert.match(policy, /- use: \[openclaw, anthropic, groq, mistral, telegram\]/);
    assert.match(policy, /port: \[18789, 11434\]/);
    assert.match(policy, /- use: \[openclaw, discord\]\n {4}scope: ann/);
    assert.ok(!JSON.stringify([policy, found, open]).includes("SECRET"));
  });

  test("finds both ports of the real sshd, and the real UFW", async () => {
    const { policy, found } = await report(["--dry-run"]);
    assert.match(policy, /- allow: \[ssh, 2222\]\n {4}from: any/);
    assert.match(
      found.find(({ word }) => word === "SSH")?.text ?? "",
      /^22 \(sshd listens there \(pid \d+\)\), 2222 /,
    );
    assert.match(found.find(({ word }) => word === "UFW")?.text ?? "", /^active/);
  });

  test("finds a unit of the system with its user and state folder, if the file is root's", async () => {
    await host.shell(`
      install -d -o 992 -g 992 /run/home/ann/alt /etc/systemd/system
      echo '{channels: {whatsapp: {}}}' >/run/home/ann/alt/openclaw.json; chown 992:992 /run/home/ann/alt/openclaw.json
      printf '[Service]\\nUser=ann\\nEnvironment=OPENCLAW_STATE_DIR=/run/home/ann/alt "X=1"\\n' >/etc/systemd/system/openclaw-gateway-alt.service
      printf '[Service]\\nUser=root\\n' >/etc/systemd/system/openclaw-gateway-bad.service; chown 993 /etc/systemd/system/openclaw-gateway-bad.service`);
    const { instances, policy } = await report(["--dry-run"]);
    assert.ok(
      instances.some(({ config, user }) => config === "/run/home/ann/alt/openclaw.json" && user === "ann"),
    );
    assert.ok(!instances.some(({ uid }) => uid === 0), "a unit file that mallory can write names nobody");
    assert.match(policy, /- use: \[openclaw, discord, whatsapp\]\n {4}scope: ann/);
    await host.shell("rm -r /run/home/ann/alt /etc/systemd/system/openclaw-gateway-*.service");
  });

  test("finds Docker and the tunnel's port by who runs and listens", async () => {
    const named = (title: string, code: string) =>
      host.start([
        process.execPath,
        "-e",
        `process.title = "${title}"; ${code}; console.log("ready"); setInterval(() => {}, 1e6)`,
      ]);
    const children = [
      named("tailscaled", 'require("node:dgram").createSocket("udp4").bind(41641)'),
      named("dockerd", ""),
      named("caddy", 'require("node:net").createServer().listen(443)'),
    ];
    for (const child of children) await new Promise((resolve) => child.stdout?.once("data", resolve));
    const { policy, found } = await report(["--dry-run"]);
    for (const child of children) child.kill("SIGKILL");
    assert.match(policy, /- allow: udp\/41641\n/);
    assert.match(policy, /# caddy listens on https\.\n {2}- allow: https\n/);
    assert.deepEqual(
      found.filter(({ word }) => word === "Docker" || word === "tunnel").map(({ text }) => text),
      ["runs; published ports are judged by this policy too", "tailscale, udp/41641"],
    );
  });

  test("does not take a port that a login forwards for one by which one logs in", async () => {
    const login = host.ssh.run("sleep 5", {
      user: "operator",
      args: ["-R", "0.0.0.0:2299:127.0.0.1:22"],
      deadlineMs: 15_000,
    });
    await host.shell(
      "for i in $(seq 100); do grep -q ' 00000000:08FB ' /proc/net/tcp && exit; sleep 0.1; done; exit 1",
    );
    const { found, policy } = await report(["--dry-run"]);
    assert.match(policy, /shut by this policy, tcp: 2299 \(sshd\)/);
    assert.ok(!(found.find(({ word }) => word === "SSH")?.text ?? "").includes("2299"));
    await login;
  });

  test("reads nothing by mallory's links, pipe, gigabyte or includes, and says each", async () => {
    const { open, policy } = await report(["--dry-run"]);
    const about = (name: string): string =>
      open.filter((text) => text.startsWith(`/run/home/mallory/.openclaw-${name}`)).join("\n");
    assert.match(about("shadow"), /is reached by a link and was not read/);
    assert.match(about("pipe"), /is not a regular file/);
    assert.match(about("huge"), /has more than 1048576 bytes/);
    assert.match(about("loop"), /is reached by a link/);
    assert.match(about("include"), /includes itself/);
    assert.match(about("include"), /\.openclaw-include\/x is reached by a link/);
    assert.ok(open.includes("/etc/shadow is outside the configuration's folder and was not read"));
    assert.ok(
      open.some((text) =>
        text.startsWith(
          "/run/home/openclaw/.openclaw/openclaw.json belongs to uid 991, not to the agent's 993",
        ),
      ),
    );
    // What mallory's own file says counts for mallory alone, and nothing of openclaw's stands in it.
    assert.match(policy, /- use: \[openclaw, line\]\n {4}scope: mallory\n/);
  });

  test("writes a policy that `policy check` takes without a word, and never over another one", async () => {
    const first = await report([]);
    assert.deepEqual(first.written, { path: "/etc/seawall/policy.yaml", how: "new" });
    assert.equal(
      await host.shell("cat /etc/seawall/policy.yaml; stat -c %a /etc/seawall/policy.yaml"),
      `${first.policy}600\n`,
    );
    const check = await seawall(["policy", "check", "/etc/seawall/policy.yaml", "--json"]);
    assert.deepEqual((JSON.parse(check.stdout) as { diagnostics: unknown }).diagnostics, []);
    assert.equal((await report([])).written?.how, "same");

    await host.shell("echo '# mine' >>/etc/seawall/policy.yaml");
    const beside = await report([]);
    assert.deepEqual(beside.written, { path: "/etc/seawall/policy.yaml.new", how: "beside" });
    assert.match(await host.shell("tail -1 /etc/seawall/policy.yaml"), /^# mine$/m);
    await host.shell("echo '# mine too' >>/etc/seawall/policy.yaml.new");
    const refused = await seawall(["init"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /are there already[\s\S]*neither was changed/);
    await host.shell("rm /etc/seawall/policy.yaml.new; sed -i '$d' /etc/seawall/policy.yaml");
  });

  test("prints the way back and one next step", async () => {
    const { stdout, code } = await seawall(["init"]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /goes back by itself[\s\S]*The way back[\s\S]* rescue +# now[\s\S]*nft -f \S+rescue\.nft +# /,
    );
    assert.equal(stdout.match(/^Next: /gm)?.length, 1);
    assert.match(stdout, /\nNext: sudo seawall apply \/etc\/seawall\/policy\.yaml\n$/);
  });

  test("says before anything is applied that a user with sudo is not contained", async () => {
    await host.shell(
      "printf 'openclaw ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/openclaw; chmod 440 /etc/sudoers.d/openclaw",
    );
    const { stderr } = await seawall(["init", "--dry-run"]);
    assert.match(stderr, /^To look at:\n[\s\S]*^ {2}- openclaw is NOT CONTAINED: sudo lets openclaw/m);
    await host.shell("rm /etc/sudoers.d/openclaw");
    assert.doesNotMatch((await seawall(["init", "--dry-run"])).stderr, /sudo lets openclaw/);
  });

  test("a dry run prints the policy alone on stdout and writes nothing", async () => {
    const { stdout, stderr } = await seawall(["init", "--dry-run"], { SEAWALL_CONFIG_DIR: "/run/elsewhere" });
    assert.match(stdout, /^# Written by `seawall init`[\s\S]*\nversion: 1\n/);
    assert.match(stderr, /dry run: nothing was written\n$/);
    assert.equal(await host.shell("ls /run/elsewhere 2>/dev/null || echo absent"), "absent\n");
  });

  test("looks where SEAWALL_OPENCLAW_HOME says and nowhere else", async () => {
    const { instances } = await report(["--dry-run"], { SEAWALL_OPENCLAW_HOME: "/run/home/ann" });
    assert.deepEqual(
      instances.map(({ user }) => user),
      ["ann"],
    );
    const none = await report(["--dry-run"], { SEAWALL_OPENCLAW_HOME: "/run/nowhere" });
    assert.deepEqual(none.instances, []);
    assert.ok(!none.policy.includes("\noutbound:"));
  });

  describe("with --proxy", () => {
    const only = { SEAWALL_OPENCLAW_HOME: "/run/home/openclaw" };
    const said = async (): Promise<string> => host.shell("cat /run/home/openclaw/said 2>/dev/null || true");

    before(async () => {
      await host.shell(
        `install -d -o 991 -g 991 /run/home/openclaw/.local /run/home/openclaw/.local/bin
         cat >/run/home/openclaw/.local/bin/openclaw; chmod 755 /run/home/openclaw/.local/bin/openclaw`,
        { input: OPENCLAW },
      );
    });

    test("changes nothing while no proxy answers, and says why", async () => {
      const { proxy } = await report(["--proxy"], only);
      assert.deepEqual(
        proxy.map(({ result }) => result),
        ["left"],
      );
      assert.match(proxy[0]?.why ?? "", /nothing listens on 127\.0\.0\.1:18901 yet/);
      assert.equal(await said(), "");
    });

    test("asks OpenClaw first, then sets it, as the agent's own user and never as root", async () => {
      await host.listen(18_901, "127.0.0.1");
      const { proxy } = await report(["--proxy"], only);
      assert.deepEqual(
        proxy.map(({ result, why }) => `${result} ${why}`),
        ["set null"],
      );
      const lines = (await said()).split("\n");
      assert.match(lines[0] ?? "", /^uid 991 groups 991 args config patch --file \S+ --dry-run --json$/);
      assert.equal(
        lines[1],
        "home /run/home/openclaw config /run/home/openclaw/.openclaw/openclaw.json cwd /",
      );
      assert.equal(lines[2], "tty ? sudo  privs 1");
      assert.equal(lines[3], '{"proxy":{"proxyUrl":"http://127.0.0.1:18901"}}');
      assert.match(lines[4] ?? "", /^uid 991 groups 991 args config patch --file \S+$/);
      assert.equal(await host.shell("ls -d /run/tmp/seawall-init-* 2>/dev/null || true"), "");
    });

    test("is undone, and so is the policy that nobody changed", async () => {
      await host.shell("rm /run/home/openclaw/said");
      const { stdout, code } = await seawall(["init", "--undo"], only);
      assert.equal(code, 0, stdout);
      assert.match(await said(), /args config unset proxy\.proxyUrl\n/);
      assert.match(stdout, /proxy\.proxyUrl is unset\n\/etc\/seawall\/policy\.yaml is removed/);
      assert.equal(await host.shell("ls /etc/seawall /var/lib/seawall | grep -v '^/' | tr -d '\\n'"), "");
      assert.match((await seawall(["init", "--undo"], only)).stdout, /nothing that could be taken back/);
    });

    test("leaves a policy that was changed since", async () => {
      await report([], only);
      await host.shell("echo '# mine' >>/etc/seawall/policy.yaml");
      assert.match(
        (await seawall(["init", "--undo"], only)).stdout,
        /was changed or is gone, and is left alone/,
      );
      assert.equal(
        await host.shell("tail -1 /etc/seawall/policy.yaml; rm /etc/seawall/policy.yaml"),
        "# mine\n",
      );
    });

    test("leaves the configuration alone when OpenClaw does not agree", async () => {
      await host.shell("rm -f /run/home/openclaw/said; touch /run/home/openclaw/refuse");
      const done = await seawall(["init", "--proxy", "--json"], only);
      assert.equal(done.code, 1);
      const { proxy } = JSON.parse(done.stdout) as Report;
      assert.match(
        `${proxy[0]?.result} ${proxy[0]?.why}`,
        /^failed openclaw refused it \(exit 1\): .*unknown key/,
      );
      assert.equal((await said()).match(/args config patch/g)?.length, 1);
    });
  });
});
