/** Text of other programs, read as they print it; what is strange is left out, never guessed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  allowedArchives,
  parseAptConfig,
  parseAptPolicy,
  parseUpgradable,
  supportEnd,
} from "../../src/core/audit/read/apt.ts";
import { unsignedSources } from "../../src/core/audit/read/apt-source.ts";
import { parseCaddy } from "../../src/core/audit/read/caddy.ts";
import { containerOf } from "../../src/core/audit/read/docker.ts";
import { parseDump, parseSession } from "../../src/core/audit/read/fail2ban.ts";
import { configValue } from "../../src/core/audit/read/openclaw.ts";
import { parseJson5 } from "../../src/core/openclaw/json.ts";
import { parseNginx } from "../../src/core/audit/read/nginx.ts";
import { parseListenTable } from "../../src/core/audit/read/proc-net.ts";
import {
  isReference,
  secretIn,
  secretOfSetting,
  secretsInText,
  SECRET_RULES,
  weaknessOf,
} from "../../src/core/audit/read/secret-rule.ts";
import {
  parseAuthorizedKeys,
  parseKeyLine,
  parseSshdFile,
  parseSshdTitle,
  sshdConfigArguments,
} from "../../src/core/audit/read/sshd.ts";
import { parseServes } from "../../src/core/audit/read/tailscale.ts";
import { parseUfwRules, shellSetting } from "../../src/core/audit/read/ufw.ts";
import { tablesOfIptables } from "../../src/core/audit/filter/from-iptables.ts";
import { tablesOfNft } from "../../src/core/audit/filter/from-nft.ts";
import { partOf } from "./facts/change.ts";
import { goodFacts } from "./facts/good.ts";

describe("sshd", () => {
  test("a process title gives the arguments that decide the configuration, and no others", () => {
    const args = parseSshdTitle(
      "sshd: /usr/sbin/sshd -D -e -f /run/ssh/config -o Port=22 -p2222 [listener] 0 of 10-100 startups",
    );
    assert.deepEqual(sshdConfigArguments(args ?? []), ["-f", "/run/ssh/config", "-o", "Port=22", "-p2222"]);
    assert.equal(parseSshdTitle("sshd: ann [priv]"), undefined);
    assert.equal(parseSshdTitle("vi sshd: /usr/sbin/sshd [listener]"), undefined);
  });

  test("directives with blanks, `=` and quotes; comments are none", () => {
    assert.deepEqual(
      parseSshdFile('# Port 1\n  Port=22\nBanner "/etc/a b"\nMatch User ann\n').map(
        ({ keyword, value, line }) => [keyword, value, line],
      ),
      [
        ["port", "22", 2],
        ["banner", "/etc/a b", 3],
        ["match", "User ann", 4],
      ],
    );
  });

  test("keys with options before the type, and lines that are none", () => {
    const key = "AAAAC3NzaC1lZDI1NTE5AAAAIB";
    assert.deepEqual(
      parseAuthorizedKeys(
        `# a\nssh-ed25519 ${key} ann\nfrom="10.0.0.1 b",command="echo ssh-rsa" ecdsa-sha2-nistp256 ${key}\nssh-ed25519\nnonsense\n`,
      ),
      [
        { type: "ssh-ed25519", options: "" },
        { type: "ecdsa-sha2-nistp256", options: 'from="10.0.0.1 b",command="echo ssh-rsa"' },
      ],
    );
  });

  test("a line of ssh-keygen -l", () => {
    assert.deepEqual(parseKeyLine("3072 SHA256:abc root@host (RSA)"), { bits: 3072, type: "RSA" });
    assert.equal(parseKeyLine("no such file"), undefined);
  });
});

describe("apt", () => {
  test("settings: lists stand together, an empty head is no value", () => {
    const settings = parseAptConfig(
      'A "";\nA::B "1";\nU::Origins-Pattern "";\nU::Origins-Pattern:: "origin=Debian";\nU::Origins-Pattern:: "x";\nnonsense\n',
    );
    assert.deepEqual(settings.get("U::Origins-Pattern"), ["origin=Debian", "x"]);
    assert.deepEqual(settings.get("A::B"), ["1"]);
  });

  test("archives with commas and blanks in their label", () => {
    const [archive] = parseAptPolicy(
      "Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n 500 https://download.docker.com/linux/debian bookworm/stable amd64 Packages\n     release o=Docker,a=bookworm,l=Docker CE,c=stable,b=amd64\n     origin download.docker.com\n",
    );
    assert.deepEqual(
      [archive?.fields.o, archive?.fields.l, archive?.site],
      ["Docker", "Docker CE", "https://download.docker.com/linux/debian"],
    );
  });

  test("what waits, and whether a security archive has it", () => {
    assert.deepEqual(
      parseUpgradable(
        "Listing...\nzip/oldstable-security 3.0-13+deb12u1 amd64 [upgradable from: 3.0-13]\nfoo/noble-updates,noble-security 1.2 all [upgradable from: 1.1]\nbar/stable 2 amd64 [upgradable from: 1]\nbaz/stable,now 2 amd64 [installed]\n",
      ),
      [
        { name: "zip", to: "3.0-13+deb12u1", security: true },
        { name: "foo", to: "1.2", security: true },
        { name: "bar", to: "2", security: false },
      ],
    );
  });

  test("patterns: wildcards, the release's own names, sites", () => {
    const updates = partOf(goodFacts(), "updates");
    const archive = {
      site: "https://deb.nodesource.com/node_24.x",
      fields: { o: ". nodistro", a: "nodistro", n: "nodistro", l: ". nodistro", v: "", c: "main" },
    };
    const allowed = (pattern: string): number =>
      allowedArchives(
        { ...updates, settings: new Map([["Unattended-Upgrade::Origins-Pattern", [pattern]]]) },
        [archive],
      ).length;
    assert.deepEqual(
      [
        "site=deb.nodesource.com",
        "origin=*",
        "origin=Debian",
        "suite=nodistro,origin=. nodistro",
        "nonsense",
      ].map(allowed),
      [1, 1, 0, 1, 0],
    );
  });

  test("sources without a signature, in both forms", () => {
    assert.deepEqual(
      unsignedSources(
        "/a.list",
        "# deb [trusted=yes] x\ndeb [arch=amd64 trusted=yes] http://a b c\ndeb [trusted=no] http://a b c\n",
      ),
      ["/a.list:2: trusted=yes"],
    );
    assert.deepEqual(unsignedSources("/a.sources", "Types: deb\nTrusted: yes\n"), [
      "/a.sources:2: Trusted: yes",
    ]);
  });

  test("the end of support, with LTS where there is one", () => {
    const csv =
      "version,codename,series,created,release,eol,eol-lts,eol-elts\n12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-06-10,2028-06-30,2033-06-30\n";
    assert.equal(supportEnd(csv, "bookworm"), "2028-06-30");
    assert.equal(supportEnd(csv, "sid"), null);
    assert.equal(supportEnd("", "bookworm"), null);
  });
});

describe("other text", () => {
  test("sockets of /proc/net/tcp, tcp6 and udp", () => {
    const text =
      "  sl  local_address rem_address   st\n   0: 0100007F:4965 00000000:0000 0A 00000000:00000000 00:00000000 00000000   990        0 777 1\n   1: 0100007F:4965 0100007F:1234 01 00000000:00000000 00:00000000 00000000   990        0 778 1\n   2: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 779 1\n   3: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 780 1\n junk\n";
    assert.deepEqual(parseListenTable(text, "tcp"), [
      { address: "127.0.0.1", port: 18_789, uid: 990, inode: "777" },
      { address: "::1", port: 22, uid: 0, inode: "779" },
      { address: "127.0.0.1", port: 80, uid: 0, inode: "780" },
    ]);
  });

  test("ufw's rules and settings of shell files", () => {
    assert.deepEqual(
      parseUfwRules("### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=535348\n-A x\n"),
      ["allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"],
    );
    assert.equal(shellSetting('#IPV6=no\nIPV6="yes" # on\n', "IPV6"), "yes");
    assert.equal(shellSetting("A=1\nA=2\n", "A"), "2");
    assert.equal(shellSetting("", "A"), "");
  });

  test("Tailscale's serve and funnel", () => {
    const text = JSON.stringify({
      Web: { "h.ts.net:443": { Handlers: { "/": { Proxy: "http://127.0.0.1:18789" } } } },
      AllowFunnel: { "h.ts.net:443": true },
    });
    assert.deepEqual(parseServes(text), [
      { text: "https://h.ts.net:443/ -> http://127.0.0.1:18789", funnel: true, port: 18_789 },
    ]);
    assert.deepEqual(parseServes("nothing"), []);
  });

  test("fail2ban: a jail that bans everywhere, and an answer that is not there", () => {
    const dump =
      "['add', 'sshd', 'systemd']\n['set', 'sshd', 'addjournalmatch', '_SYSTEMD_UNIT=ssh.service', '+', '_COMM=sshd']\n['multi-set', 'sshd', 'action', 'nftables-allports', [['port', '0:65535']]]\n";
    assert.deepEqual(parseDump(dump, "sshd"), {
      backend: "systemd",
      journalMatch: "_SYSTEMD_UNIT=ssh.service + _COMM=sshd",
      ports: ["0:65535"],
      allPorts: true,
    });
    assert.deepEqual([parseSession("").pong, parseSession("").jails], [false, []]);
  });

  test("docker: an empty host address stays empty, names of secrets come without values", () => {
    const container = containerOf(
      {
        Name: "/a",
        Config: {
          Image: "openclaw/openclaw:1",
          Env: ["PATH=/bin", `OPENAI_API_KEY=${["sk", "a1B2".repeat(12)].join("-")}`],
        },
        NetworkSettings: { Ports: { "80/tcp": [{ HostIp: "", HostPort: "8080" }], "81/tcp": null } },
      },
      null,
    );
    assert.deepEqual(
      [container.agent, container.published, container.secretEnv],
      [true, [{ address: "", hostPort: 8080, port: 80, protocol: "tcp" }], ["OPENAI_API_KEY"]],
    );
    assert.ok(
      !JSON.stringify(container, (_key, value: unknown) => (typeof value === "bigint" ? "" : value)).includes(
        "a1B2",
      ),
    );
  });
});

describe("secrets", () => {
  const join = (...parts: readonly string[]): string => parts.join("");
  const samples: readonly (readonly [string, string])[] = [
    ["Anthropic API key", join("sk-", "ant-api03-", "aB3".repeat(12))],
    ["OpenRouter API key", join("sk-", "or-v1-", "0f".repeat(32))],
    ["OpenAI API key", join("sk-", "proj-", "aB3x".repeat(12))],
    ["Groq API key", join("gsk", "_", "aB3x".repeat(13))],
    ["xAI API key", join("xai", "-", "aB3x".repeat(20))],
    ["Google API key", join("AI", "za", "aB3x5".repeat(7))],
    ["Telegram bot token", join("7123456789", ":AA", "aB3x_".repeat(6), "abc")],
    ["GitHub token", join("gh", "p_", "aB3x".repeat(9))],
    ["AWS access key", join("AK", "IA", "ABCDEFGH23456722")],
    ["Tailscale key", join("tskey", "-auth-", "kABCDEF1CNTRL", "-", "aB3x".repeat(8))],
    ["private key", join("-----BEGIN ", "OPENSSH PRIVATE KEY-----")],
  ];
  for (const [rule, sample] of samples)
    test(`${rule} is known by its form`, () => assert.equal(secretIn(`x=${sample}`), rule));

  test("words that are no secrets", () => {
    for (const text of [
      "sk-short",
      "the token is set",
      "AKIA",
      "xoxo",
      "npm_config_cache",
      "desk-".repeat(20),
    ])
      assert.equal(secretIn(text), null, text);
  });

  test("references, placeholders and paths are no secrets; a value under a telling name is", () => {
    for (const value of [
      "${TOKEN}",
      "$TOKEN",
      "env:TOKEN",
      "your-token-goes-here",
      "<your token here>",
      "xxxxxxxxxxxxxxxx",
      "/run/secrets/token",
      "123456789012",
    ])
      assert.equal(secretOfSetting("token", value), null, value);
    assert.equal(secretOfSetting("gatewayToken", "q8Zr2mVt5xKp9wLd"), "a secret by its name");
    assert.equal(secretOfSetting("name", "q8Zr2mVt5xKp9wLd"), null);
    assert.ok(isReference("${A}") && !isReference("A"));
  });

  test("weak tokens", () => {
    assert.ok(weaknessOf("changeme-changeme-changeme") !== null);
    assert.ok(weaknessOf("a".repeat(64)) !== null);
    assert.ok(weaknessOf("abcdefghabcdefghabcdefghabcdefgh") !== null);
    assert.equal(weaknessOf("q8Zr2mVt5xKp9wLd3nBf7sHj4cGy6aEu"), null);
  });

  test("a long line is looked at quickly, whatever it holds", () => {
    for (const { pattern } of SECRET_RULES) pattern.test("sk-".repeat(100_000));
    assert.deepEqual(secretsInText("a".repeat(1_000_000)), []);
  });
});

describe("whatever the text is, reading it ends without throwing", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 400, unit: "binary" }),
    fc
      .array(
        fc.constantFrom(
          "{",
          "}",
          ";",
          "[",
          "]",
          '"',
          "'",
          ":",
          ",",
          "#",
          "include",
          "server",
          "location",
          "-A",
          "INPUT",
          "*filter",
          "COMMIT",
          "\n",
          " ",
          "0",
          "$include",
        ),
        { maxLength: 80 },
      )
      .map((words) => words.join("")),
  );
  const readers: Readonly<Record<string, (text: string) => unknown>> = {
    json5: parseJson5,
    nginx: parseNginx,
    caddy: parseCaddy,
    nft: tablesOfNft,
    iptables: (one) => tablesOfIptables(one, "ip", "iptables"),
    apt: parseAptPolicy,
    sshd: parseSshdFile,
    sockets: (one) => parseListenTable(one, "tcp"),
    secrets: secretsInText,
    fail2ban: parseSession,
    tailscale: parseServes,
  };
  for (const [name, reader] of Object.entries(readers)) {
    test(name, () =>
      fc.assert(
        fc.property(text, (one) => void reader(one)),
        { numRuns: 300, seed: 7 },
      ),
    );
  }

  test("JSON is read by our JSON5 as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2), (value, indent) => {
        const parsed = parseJson5(JSON.stringify(value, null, indent));
        assert.ok(parsed.ok);
        const read = JSON.stringify(configValue(parsed.value));
        assert.equal(read, JSON.stringify(JSON.parse(JSON.stringify(value))));
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
