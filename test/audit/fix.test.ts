/** Every fix of every check, over many hosts: none shuts a door before another is open, and none is of another host. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHECKS } from "../../src/core/audit/check/all.ts";
import { judgeAll } from "../../src/core/audit/check.ts";
import type { Facts } from "../../src/core/audit/fact/facts.ts";
import type { SshUser } from "../../src/core/audit/fact/ssh.ts";
import type { Finding } from "../../src/core/audit/finding.ts";
import { commandsOf, fixText, isPasteable, run, say } from "../../src/core/audit/fix/fix.ts";
import { variableOf } from "../../src/core/audit/fix/secret.ts";
import { doorOf } from "../../src/core/audit/read/ufw-rule.ts";
import { absent, read, unreadable } from "../../src/core/audit/reading.ts";
import { badFacts } from "./facts/bad.ts";
import { change, partOf, valueIn } from "./facts/change.ts";
import { GOOD_INSTANCE } from "./facts/good-agent.ts";
import { context, goodFacts } from "./facts/good.ts";

const PORT = 2222;
const good = goodFacts();
const bad = badFacts();

const ANN: SshUser = {
  name: "ann",
  uid: 1000,
  sudo: true,
  barred: null,
  keys: [{ type: "ssh-ed25519", file: "/home/ann/.ssh/authorized_keys" }],
  refused: [],
};
const ROOT: SshUser = {
  ...ANN,
  name: "root",
  uid: 0,
  keys: [{ type: "ssh-ed25519", file: "/root/.ssh/authorized_keys" }],
};

type Ufw = "absent" | "off" | "on" | "on in its file";

/** The bad host with sshd on 2222, in the ways in which servers differ that a fix must heed. */
function hostsThatFail(): { readonly name: string; readonly facts: Facts; readonly hasKey: boolean }[] {
  const whose: readonly (readonly [string, readonly SshUser[]])[] = [
    ["no key", [{ ...ANN, keys: [] }]],
    ["a key of ann", [ANN]],
    ["a key of root", [ROOT]],
  ];
  const firewalls: readonly Ufw[] = ["absent", "off", "on", "on in its file"];
  return whose.flatMap(([key, users]) =>
    firewalls.flatMap((ufw) =>
      [true, false].map((isLoggedIn) => ({
        name: `${key}, UFW ${ufw}, ${isLoggedIn ? "over SSH" : "at the console"}`,
        facts: hostWith(users, ufw, isLoggedIn),
        hasKey: key !== "no key",
      })),
    ),
  );
}

function hostWith(users: readonly SshUser[], ufw: Ufw, isLoggedIn: boolean): Facts {
  const contexts = partOf(bad, "ssh").contexts.map(({ user, address, options }) =>
    context(user, address, {
      ...Object.fromEntries([...options].map(([name, values]) => [name, values.join("|")])),
      port: String(PORT),
      pubkeyauthentication: "yes",
    }),
  );
  const file = { ...partOf(bad, "ssh").files[0], text: `Port ${PORT}\n` };
  const inUfw = {
    ...valueIn(partOf(bad, "firewall").ufw),
    enabledInFile: ufw !== "off",
    inKernel4: ufw === "on",
  };
  const withSsh = change(bad, "ssh", { users, contexts, listening: read([PORT]), files: [file as never] });
  const whole = change(withSsh, "firewall", {
    ufw: ufw === "absent" ? absent("UFW is not installed") : read(inUfw),
  });
  const listeners = [
    { protocol: "tcp", address: "0.0.0.0", port: PORT, uid: 0, pid: 1, program: "sshd" },
  ] as const;
  const session = { peer: "198.51.100.7", address: "203.0.113.10", port: PORT };
  return {
    ...whole,
    listeners: read([...listeners, ...valueIn(bad.listeners).filter(({ program }) => program !== "sshd")]),
    operator: { user: "ann", sessions: isLoggedIn ? [session] : [] },
  };
}

/** Commands that no fix of a running host has, whatever comes before. */
const NEVER: readonly (readonly [string, RegExp])[] = [
  ["every table of everybody goes", /nft\s+flush\s+ruleset/],
  ["every rule of UFW goes", /\bufw\b.*\breset\b/],
  [
    "a stopped unit takes the rules with it",
    /systemctl\b.*(--now.*\b(nftables|netfilter-persistent|ufw|firewalld|iptables)|\bstop\b.*\b(nftables|netfilter-persistent|ufw|firewalld|iptables))/,
  ],
  ["the door is stopped", /systemctl\s+(stop|disable|mask|kill)\b.*\bssh/],
  ["an account is locked", /\b(passwd\s+-l|usermod\s+-L|userdel|deluser)\b/],
  ["nft deletes or flushes what is not its own", /nft\s+(delete|flush|destroy)\b/],
];

function breaches({ fix, id }: Finding, hasKey: boolean): string[] {
  const text = fix ?? "";
  const commands = isPasteable(text) ? commandsOf(text) : [text];
  const before = (at: number): string => commands.slice(0, at).join("\n");
  return commands.flatMap((command, at) => [
    ...NEVER.filter(([, pattern]) => pattern.test(command)).map(([why]) => `${id}: ${why}: ${command}`),
    ...(/ufw (--force )?enable|ufw default (deny|reject) incoming/.test(command) &&
    !before(at).includes(`ufw allow ${PORT}/tcp`)
      ? [`${id}: UFW denies before ${PORT} is let in: ${command}`]
      : []),
    ...(/iptables\S* .*-(F|-flush)\b/.test(command) && !/-P INPUT ACCEPT/.test(before(at))
      ? [`${id}: a chain is emptied while its policy may drop: ${command}`]
      : []),
    ...(/(PasswordAuthentication|KbdInteractiveAuthentication|PermitRootLogin) no|AllowGroups|AllowUsers/.test(
      command,
    ) && !hasKey
      ? [`${id}: a way in is shut and no key is proven: ${command}`]
      : []),
    ...(/\b(port|dport|allow|limit)\D{1,12}22\b(?!\d)/.test(command)
      ? [`${id}: port 22, and sshd is on ${PORT}: ${command}`]
      : []),
    ...(/gpasswd -d \S+ (sudo|wheel|admin)|deluser \S+ sudo/.test(command) && !hasKey
      ? [`${id}: the last administrator is shut out: ${command}`]
      : []),
    ...(/YOU|YOUR|SSHPORT|<[a-z]/.test(command) && isPasteable(text)
      ? [`${id}: a name to fill in, in a command: ${command}`]
      : []),
  ]);
}

describe("no fix cuts a way in", () => {
  for (const { name, facts, hasKey } of hostsThatFail())
    test(name, () => {
      const failed = judgeAll(CHECKS, facts).filter(({ status }) => status === "fail");
      assert.ok(failed.length > 100, String(failed.length));
      assert.deepEqual(
        failed.flatMap((finding) => breaches(finding, hasKey)),
        [],
      );
    });

  test("the words that stand for a check on every host hold no such command either", () => {
    for (const { id, fix } of CHECKS)
      assert.deepEqual(
        NEVER.filter(([, pattern]) => pattern.test(fix)).map(([why]) => `${id}: ${why}`),
        [],
      );
  });

  test("what could not be seen is never guessed: no port, no command", () => {
    const hidden = unreadable("only root may see it", "sudo seawall audit");
    const facts = { ...hostWith([ANN], "off", false), ssh: hidden };
    for (const { id, fix } of judgeAll(CHECKS, facts).filter(({ status }) => status === "fail"))
      if (/^(FW-00[1235]|SSH)/.test(id)) assert.deepEqual(commandsOf(fix ?? ""), [], `${id}: ${fix ?? ""}`);
  });

  test("the rows above would find the commands of before", () => {
    for (const command of [
      "ufw --force enable && systemctl enable ufw",
      "ufw allow ssh && ufw --force enable",
      "systemctl disable --now nftables",
      "iptables-legacy -F",
      "printf '%s\\n' 'PasswordAuthentication no' >>/etc/ssh/sshd_config.d/00-seawall.conf",
    ])
      assert.notDeepEqual(
        breaches({ id: "X", fix: `# as root:\n${command}` } as Finding, false),
        [],
        command,
      );
  });
});

describe("what is printed first is safe to do first", () => {
  test("a key that works comes before what waits for it, the door before the rest of the firewall", async () => {
    const { reportOf } = await import("../../src/core/audit/report.ts");
    const ids = reportOf(CHECKS, bad, [], null).findings.map(({ id }) => id);
    for (const later of ["SSH-002", "SSH-001", "SSH-003", "SSH-021"])
      assert.ok(ids.indexOf("SSH-020") < ids.indexOf(later), later);
  });

  test("every fix of several lines keeps its words in 80 columns", () => {
    for (const { fix } of judgeAll(CHECKS, bad))
      for (const line of (fix ?? "").split("\n").filter((one) => /^# \S/.test(one)))
        assert.ok(line.length <= 70 || !line.slice(2).includes(" "), line);
  });
});

describe("a failure says in words of its own what is wrong", () => {
  const findings = judgeAll(CHECKS, bad).filter(({ status }) => status === "fail");
  test("no title of a failure is the wish, none is negated twice", () => {
    for (const { id, title } of findings) {
      assert.notEqual(title, CHECKS.find((check) => check.id === id)?.title, id);
      assert.match(title, /^[A-Za-z].*[^.]$/, id);
      assert.doesNotMatch(title, /not so|NOT SO/, id);
      assert.ok(title.length <= 90, `${id}: ${title}`);
    }
  });

  for (const [id, title] of [
    ["DKR-005", "openclaw-gateway holds Docker's socket"],
    ["SSH-002", "SSH accepts passwords"],
    ["FW-004", "Ports that strangers reach: 5432"],
    ["FW-002", "UFW is on in its file and off in the kernel"],
    ["APP-008", "The gateway runs as root"],
  ] as const)
    test(title, () => assert.equal(findings.find((finding) => finding.id === id)?.title, title));

  test("SSH accepts passwords, for user ftpguest", () => {
    const contexts = [
      context("ann", "203.0.113.9"),
      context("ftpguest", "203.0.113.9", { passwordauthentication: "yes" }),
    ];
    const [finding] = judgeAll(
      CHECKS.filter(({ id }) => id === "SSH-002"),
      change(good, "ssh", { contexts }),
    );
    assert.equal(finding?.title, "SSH accepts passwords, for user ftpguest");
  });

  test("a name that would act as markup is in no title", () => {
    const containers = partOf(bad, "docker").containers.map((one) => ({ ...one, name: "<b>`x`" }));
    for (const { title } of judgeAll(CHECKS, change(bad, "docker", { containers })))
      assert.doesNotMatch(title, /[<`]b?>/);
  });
});

test("a line break in a name ends no comment", () => {
  assert.deepEqual(commandsOf(fixText([say("Seen: a\nrm -rf /"), run("true")])), ["true"]);
});

describe("a fix holds the facts of its finding", () => {
  const fixOf = (id: string, facts: Facts): string =>
    judgeAll(
      CHECKS.filter((check) => check.id === id),
      facts,
    )[0]?.fix ?? "";

  test("a container's own port and name", () => {
    const [container] = partOf(bad, "docker").containers;
    assert.ok(container !== undefined);
    const published = [{ address: "", hostPort: 5678, port: 5678, protocol: "tcp" }];
    const fix = fixOf(
      "DKR-007",
      change(bad, "docker", { containers: [{ ...container, name: "n8n", published }] }),
    );
    assert.match(fix, /n8n: ports: \['127\.0\.0\.1:5678:5678'\]/);
    assert.doesNotMatch(fix, /18789/);
  });

  for (const [path, name] of [
    ["channels.telegram.botToken", "TELEGRAM_BOT_TOKEN"],
    ["models.providers.anthropic.apiKey", "ANTHROPIC_API_KEY"],
    ["gateway.auth.token", "OPENCLAW_GATEWAY_TOKEN"],
  ] as const)
    test(`${path} is \${${name}}`, () => {
      assert.equal(variableOf(path), name);
      const config = read([{ place: `/home/openclaw/.openclaw/openclaw.json: ${path}`, rule: "a key" }]);
      assert.ok(fixOf("SEC-001", change(bad, "secrets", { config })).includes(`${path}: "\${${name}}"`));
    });

  test("a policy is made first where there is none, and not where there is one", () => {
    const without = change(hostWith([ANN], "absent", true), "firewall", {});
    assert.match(fixOf("FW-001", without), /seawall init\nseawall apply/);
    const seawall = { state: "off", outbound: null, policyFile: "/etc/seawall/policy.yaml" };
    assert.doesNotMatch(fixOf("FW-001", change(without, "firewall", { seawall })), /seawall init/);
  });

  for (const [sentence, over, wanted] of [
    [
      "as the agent's user",
      {},
      "sudo -u openclaw -H openclaw config set gateway.bind loopback && sudo -u openclaw -H openclaw gateway restart",
    ],
    [
      "in its profile",
      {
        profile: "work",
        stateFolder: { ...GOOD_INSTANCE.stateFolder, path: "/home/openclaw/.openclaw-work" },
        configFile: { ...GOOD_INSTANCE.configFile, path: "/home/openclaw/.openclaw-work/openclaw.json" },
      },
      "sudo -u openclaw -H openclaw --profile work config set gateway.bind loopback",
    ],
    [
      "in its own state folder",
      {
        stateFolder: { ...GOOD_INSTANCE.stateFolder, path: "/srv/claw" },
        configFile: { ...GOOD_INSTANCE.configFile, path: "/srv/claw/openclaw.json" },
      },
      "sudo -u openclaw -H env OPENCLAW_STATE_DIR=/srv/claw openclaw config set gateway.bind loopback",
    ],
    [
      "with its own file",
      { configFile: { ...GOOD_INSTANCE.configFile, path: "/etc/claw.json" } },
      "sudo -u openclaw -H env OPENCLAW_CONFIG_PATH=/etc/claw.json openclaw config set gateway.bind loopback",
    ],
  ] as const)
    test(`OpenClaw is told ${sentence}, not as root`, () => {
      const listeners = [{ ...GOOD_INSTANCE.listeners[0], address: "0.0.0.0" }];
      const instances = [{ ...GOOD_INSTANCE, listeners, ...over }] as never;
      const fix = fixOf("APP-001", change(good, "openclaw", { instances }));
      assert.ok(fix.startsWith(wanted), fix);
    });

  test("the security archive is in the sources, and its list was never fetched", () => {
    const facts = change(good, "updates", {
      archives: read([]),
      securitySources: ["/etc/apt/sources.list:3"],
    });
    const [finding] = judgeAll(
      CHECKS.filter(({ id }) => id === "UPD-003"),
      facts,
    );
    assert.match(
      finding?.evidence.join("\n") ?? "",
      /sources\.list:3 names a security archive, and its list was never fetched/,
    );
    assert.match(finding?.fix ?? "", /^apt-get update/);
  });

  test("the only account that may become root keeps its sudo, also when it is the agent's", () => {
    const process = read({ uid: 1000, groups: ["ann", "sudo"], sudo: read(["(ALL : ALL) ALL"]) });
    const instances = [{ ...GOOD_INSTANCE, user: "ann", uid: 1000, process }];
    const fix = fixOf("APP-008", change(good, "openclaw", { instances }));
    assert.deepEqual(commandsOf(fix), [], fix);
    const facts = change(change(good, "openclaw", { instances }), "ssh", {
      users: [ANN, { ...ANN, name: "bob", uid: 1001 }],
    });
    assert.deepEqual(commandsOf(fixOf("APP-008", facts)), ["gpasswd -d ann sudo"]);
  });
});

describe("the first rule of UFW that matches decides", () => {
  const all = "0.0.0.0/0";
  for (const [sentence, rules, addresses, kind] of [
    ["nothing is let in without a rule", [], [], "shut"],
    ["a rule for the port", [`allow tcp 2222 ${all} any ${all} in`], [], "open"],
    ["a limit is a door", [`limit tcp 2222 ${all} any ${all} in`], [], "open"],
    [
      "a range that refuses stands first",
      [`deny tcp 2000:3000 ${all} any ${all} in`, `allow tcp 2222 ${all} any ${all} in`],
      [],
      "shut",
    ],
    ["any protocol", [`allow any 2222 ${all} any ${all} in`], [], "open"],
    ["only UDP", [`allow udp 2222 ${all} any ${all} in`], [], "shut"],
    ["a list of ports", [`allow tcp 22,2222 ${all} any ${all} in`], [], "open"],
    ["IPv6 alone", ["allow tcp 2222 ::/0 any ::/0 in"], [], "shut"],
    ["an application's profile", [`allow tcp 2222 ${all} any ${all} OpenSSH - in`], [], "open"],
    [
      "for the office, and who asks sits there",
      [`allow tcp 2222 ${all} any 198.51.100.0/24 in`],
      ["198.51.100.7"],
      "open",
    ],
    [
      "for the office, and who asks does not",
      [`allow tcp 2222 ${all} any 192.0.2.0/24 in`],
      ["198.51.100.7"],
      "shut",
    ],
    ["for the office, and nobody is logged in", [`allow tcp 2222 ${all} any 192.0.2.0/24 in`], [], "shut"],
    ["on another interface", [`allow tcp 2222 ${all} any ${all} in_eth1`], ["198.51.100.7"], "shut"],
    [
      "on the tailnet, for a tailnet's address",
      [`allow any any ${all} any ${all} in_tailscale0`],
      ["100.101.102.103"],
      "open",
    ],
    ["what goes out says nothing", [`allow tcp 2222 ${all} any ${all} out`], [], "shut"],
    ["what is routed says nothing", [`route:allow tcp 2222 ${all} any ${all} in`], [], "shut"],
  ] as const)
    test(sentence, () => assert.equal(doorOf(rules, 4, PORT, addresses).kind, kind));
});
