// What somebody else may have written has nothing of root's terminal, and none of it is left when root's command ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { finished } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { type Host, startHost } from "../../support/host/host.ts";
import { SEAWALL_WORDS, seawallOn } from "../../support/host/seawall.ts";

const UID = 4242;
const HOME = "/run/home/agent";
const SAID = "/run/said";
const DEADLINE_MS = 150_000;
const REPORT = fileURLToPath(new URL("in-namespace/children.ts", import.meta.url));

/**
 * Says who it is and what it has, tries to type for root into whatever terminal it finds, and goes on as \`then\` says.
 * Perl, because every Debian has it and Node cannot ioctl(2).
 */
const attack = (then: string): string => `#!/usr/bin/perl
use strict;
open(my $said, ">>", "${SAID}") or die;
my @stat = split / /, do { open(my $f, "<", "/proc/self/stat"); my $t = <$f>; $t =~ s/.*\\) //r };
my @fds = sort { $a <=> $b } map { s{.*/}{}r } glob("/proc/self/fd/*");
my @ends = map { readlink("/proc/self/fd/$_") // "closed" } @fds;
my $typed = 0;
for my $way ("/dev/tty", map { "/proc/self/fd/$_" } @fds) {
  next unless -c $way || $way eq "/dev/tty";
  if (open(my $t, "+<", $way)) { for my $c (split //, "\\x15 typed-by-the-agent\\n") { $typed++ if ioctl($t, 0x5412, $c) } }
}
print $said "uid $< tty $stat[4] typed $typed fds ", join(" ", map { "$fds[$_]=$ends[$_]" } 0 .. $#fds), "\\n";
close $said;
${then}
`;

/** What of `ls -l /proc/self/fd` a child may have: its three, each a pipe of ours or nothing, and what it opened. */
const OWN = /^(\d=(socket:\[\d+\]|pipe:\[\d+\]|\/dev\/null|closed|\/proc\/\d+\/\S*|\/run\/said) ?)+$/;

describe("an agent's program on root's terminal", () => {
  let host: Host;
  before(async () => {
    host = await startHost();
    await host.shell(`mkdir -p -m 755 /run/home ${HOME} ${HOME}/.openclaw ${HOME}/.local/bin
echo 'agent:x:${UID}:${UID}::${HOME}:/bin/sh' >>/etc/passwd; echo 'agent:x:${UID}:' >>/etc/group
echo '{"gateway":{"port":18789}}' >${HOME}/.openclaw/openclaw.json
chown -R ${UID}:${UID} ${HOME}`);
  });
  after(() => host.stop());

  /** Puts the program where the agent's own is, and forgets what was said. */
  const plant = async (then: string, path = `${HOME}/.local/bin/openclaw`): Promise<void> => {
    await host.shell(
      `rm -f ${SAID}; touch ${SAID}; chmod 666 ${SAID}; cat >${path}; chown ${UID}:${UID} ${path}; chmod 755 ${path}`,
      { input: attack(then) },
    );
  };
  const said = async (): Promise<readonly string[]> =>
    (await host.shell(`cat ${SAID}`)).split("\n").filter((line) => line !== "");

  /** Root's shell on a terminal runs the command; what is in the terminal's input afterwards is what others typed. */
  const onTerminal = async (command: string, leaks = ""): Promise<{ typed: string; screen: string }> => {
    const line = `${leaks} ${command} >/run/out 2>&1 </dev/tty; read -t 1 -r typed </dev/tty; echo "<<$typed>>"`;
    const child = host.start(["script", "-qec", `bash --norc -c '${line}'`, "/dev/null"], {
      env: { SEAWALL_OPENCLAW_HOME: HOME, SHELL: "/bin/sh" },
    });
    const { stdout, stderr, timedOut } = await finished(child, DEADLINE_MS);
    assert.equal(timedOut, false, `it did not end: ${stdout}${stderr}`);
    const typed = /<<(.*)>>/s.exec(stdout)?.[1];
    assert.ok(typed !== undefined, stdout + stderr);
    return { typed, screen: stdout };
  };
  const processes = async (name: string): Promise<string> =>
    (await host.shell(`ps -eo args= | grep '[${name[0]}]${name.slice(1)}' || true`)).trim();

  const judge = async (typed: string): Promise<void> => {
    const lines = await said();
    assert.ok(lines.length > 0, `the program was not run: ${await host.shell("tail -c 2000 /run/out")}`);
    assert.equal(typed, "", lines.join("\n"));
    for (const line of lines) {
      const [, uid, tty, count, fds = ""] = /^uid (\d+) tty (\d+) typed (\d+) fds (.*)$/.exec(line) ?? [];
      assert.deepEqual([uid, tty, count], [String(UID), "0", "0"], line);
      assert.match(fds, OWN);
    }
  };

  const SECRET = "exec 7</etc/shadow 63</etc/shadow;";
  const COMMANDS = ["audit --layer app", "audit", "init --proxy --dry-run"] as const;
  for (const command of COMMANDS) {
    it(`\`seawall ${command}\`: has no terminal, no file of root's, and types nothing`, async () => {
      await plant(`print "{}\\n";`);
      const proxy = host.start(["nc", "-lk", "127.0.0.1", "18901"]);
      await eventually(async () => (await host.run(["nc", "-z", "127.0.0.1", "18901"])).code, 0);
      try {
        await judge((await onTerminal(`${SEAWALL_WORDS.replaceAll("'", "")} ${command}`, SECRET)).typed);
      } finally {
        proxy.kill("SIGKILL");
      }
    });
  }

  it("what it prints is read, not shown: an escape sequence reaches no terminal", async () => {
    await plant(`print STDERR "\\x1b]0;owned\\x07\\x1b[2J no"; print "\\x1b[31mred"; exit 3;`);
    const line = `${SEAWALL_WORDS.replaceAll("'", "")} audit --layer app --all | tee /run/shown`;
    const { screen } = await onTerminal(`{ ${line}; } >/dev/tty; true`);
    assert.ok((await said()).length > 0, "the program was run");
    assert.doesNotMatch(screen, /\u001b\]0;owned|\u001b\[2J no|\u001b\[31mred/);
  });

  it("a child that it leaves in a session of its own ends with it", async () => {
    await plant(
      `use POSIX; if (fork() == 0) { POSIX::setsid(); if (fork() == 0) { exec "sleep", "987654"; } exit } print "{}\\n";`,
    );
    await onTerminal(`${SEAWALL_WORDS.replaceAll("'", "")} audit --layer app`);
    assert.ok((await said()).length > 0, "the program was run");
    assert.equal(await processes("sleep 987654"), "");
  });

  it("a program that writes without end is ended, and the audit goes on", async () => {
    await plant(`while (1) { print "x" x 65536 or exit }`);
    await onTerminal(`${SEAWALL_WORDS.replaceAll("'", "")} audit --layer app --json`);
    assert.match(await host.shell("cat /run/out"), /it says too much/);
  });

  it("a program that never ends, and all that it started, is ended at the deadline", async () => {
    await plant(
      `use POSIX; $SIG{TERM} = $SIG{INT} = $SIG{HUP} = "IGNORE"; if (fork() == 0) { POSIX::setsid(); exec "sleep", "987653" } sleep 987653;`,
    );
    await onTerminal(`${SEAWALL_WORDS.replaceAll("'", "")} audit --json --check APP-014,APP-015`);
    assert.match(await host.shell("cat /run/out"), /no answer for 60 s/);
    assert.equal(await processes("sleep 987653"), "");
  });

  for (const [how, signal] of [
    ["Ctrl-C", "INT"],
    ["kill -9", "KILL"],
  ] as const) {
    it(`after ${how} nothing of it is left`, async () => {
      await plant(
        `use POSIX; $SIG{TERM} = $SIG{INT} = $SIG{HUP} = "IGNORE"; if (fork() == 0) { POSIX::setsid(); exec "sleep", "987652" } sleep 987652;`,
      );
      const command = `${SEAWALL_WORDS} audit --layer app`;
      const child = host.start(
        [
          "script",
          "-qec",
          `bash --norc -c "echo \\$\\$ >/run/pid; exec ${command}" >/run/out 2>&1`,
          "/dev/null",
        ],
        { env: { SEAWALL_OPENCLAW_HOME: HOME, SHELL: "/bin/sh" } },
      );
      assert.ok(await eventually(async () => (await processes("sleep 987652")) !== "", true), "it runs");
      if (signal === "INT") child.stdin?.write("\u0003");
      else await host.shell("kill -KILL $(cat /run/pid)");
      if (child.exitCode === null) await once(child, "exit");
      assert.equal(await eventually(async () => processes("sleep 987652"), ""), "");
    });
  }

  it("`seawall prove`: what runs as the agent has no terminal and no file of root's", async () => {
    // Who runs `sudo` as the agent runs this: it stands for an agent that looks into what prove starts as it.
    await plant(`print "no\\n"; exit 1;`, "/run/sudo");
    const sudo = (await host.run(["sh", "-c", "command -v sudo"])).stdout.trim();
    assert.notEqual(sudo, "", "sudo is installed where these tests run");
    await host.shell(`mount --bind /run/sudo ${sudo}`);
    const seawall = seawallOn(host);
    await seawall.enforce(`version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {user: agent}}
inbound: []
outbound: []
accept_risk:
  - {scope: agent, reason: this test wants it, by: me, expires: 2099-01-01}
`);
    await judge((await onTerminal(`${SEAWALL_WORDS.replaceAll("'", "")} prove`, SECRET)).typed);
  });

  it("every way in which a program is started gives it a session of its own and nothing else", async () => {
    await plant(`exit 0;`, "/run/report");
    await onTerminal(`${process.execPath} ${REPORT} /run/report ${UID}`, SECRET);
    const lines = await said();
    const report = await host.shell("cat /run/out");
    assert.deepEqual(JSON.parse(report), {
      doors: ["runSync", "run", "ask", "start", "startLasting", "runAs"],
    });
    assert.equal(lines.length, 6, lines.join("\n"));
    for (const line of lines) {
      assert.match(line, /^uid \d+ tty 0 typed 0 fds /);
      assert.match(line.replace(/^.* fds /, ""), OWN);
    }
  });
});
