import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assembleConfiguration, INCLUDE_DEPTH_MAX, INCLUDE_FILES_MAX } from "./assemble.ts";
import { CATALOGUE_PRESETS } from "./catalogue.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { parseEnvironmentFile, substitute } from "./environment.ts";
import { isObject, JSON_CHARS_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX, parseJson5 } from "./json.ts";
import { openclawNeeds, type OpenclawNeeds } from "./needs.ts";
import { PRESET_NAMES } from "../policy/preset/preset.ts";
import { formatIp } from "../net/ip.ts";

const MAIN = "/home/claw/.openclaw/openclaw.json";

function needsOf(text: string, variables: Readonly<Record<string, string>> = {}): OpenclawNeeds {
  const parsed = parseJson5(text);
  assert.ok(parsed.ok && isObject(parsed.value), text);
  return openclawNeeds(parsed.value, new Map(Object.entries(variables)));
}

function shown(endpoint: Endpoint): string {
  return endpoint.kind === "name"
    ? `${endpoint.name}:${endpoint.port}`
    : `${endpoint.kind} ${formatIp(endpoint.ip)} ${endpoint.port}`;
}

describe("a configuration needs", () => {
  for (const [what, text, expected] of [
    ["nothing but OpenClaw itself", "{}", []],
    [
      "the provider before the slash",
      '{agents: {defaults: {model: "anthropic/claude-opus-4-6"}}}',
      ["anthropic"],
    ],
    [
      "every fallback",
      '{agents: {defaults: {model: {primary: "xai/a", fallbacks: ["groq/b"]}}}}',
      ["groq", "xai"],
    ],
    ["the models of a list of agents", '{agents: {list: [{id: "a", model: "mistral/m"}]}}', ["mistral"]],
    ["the keys of a model map", '{agents: {defaults: {models: {"zai/glm": {alias: "g"}}}}}', ["zai"]],
    [
      "a login's provider",
      '{auth: {profiles: {"x:y": {provider: "openai-codex", mode: "oauth"}}}}',
      ["openai"],
    ],
    [
      "a provider by an older word",
      '{agents: {defaults: {model: "google-gemini-cli/x"}}}',
      ["google-cloudcode"],
    ],
    ["the provider of a key in its own env block", '{env: {vars: {GROQ_API_KEY: "x"}}}', ["groq"]],
    ["a channel", "{channels: {whatsapp: {}}}", ["whatsapp"]],
    ["no channel that is off", "{channels: {whatsapp: {enabled: false}}}", []],
    [
      "no Telegram behind an API root of its own",
      '{channels: {telegram: {apiRoot: "https://tg.example.org"}}}',
      [],
    ],
    ["a search service", '{tools: {web: {search: {provider: "perplexity"}}}}', ["perplexity"]],
    ["the model that searches", '{tools: {web: {search: {provider: "gemini"}}}}', ["google"]],
    ["Brave for a key without a provider", '{tools: {web: {search: {apiKey: "k"}}}}', ["brave"]],
    ["no search that is off", '{tools: {web: {search: {enabled: false, provider: "brave"}}}}', []],
    ["a speech service", '{messages: {tts: {provider: "edge"}}}', ["edge-tts"]],
    [
      "a plugin that is a service's",
      '{plugins: {entries: {exa: {config: {apiKey: "k"}}, tavily: {enabled: false, config: {a: 1}}}}}',
      ["exa"],
    ],
    [
      "its home for a provider that only repeats it",
      '{models: {providers: {openai: {baseUrl: "https://api.openai.com/v1"}}}}',
      ["openai"],
    ],
  ] as const) {
    test(what, () => {
      assert.deepEqual(
        needsOf(text).presets.map(({ value }) => value),
        [...expected, "openclaw"].sort(),
      );
    });
  }

  for (const [what, text, expected] of [
    [
      "a base URL",
      '{models: {providers: {p: {baseUrl: "https://llm.example.com/v1"}}}}',
      ["llm.example.com:443"],
    ],
    [
      "a base URL with a port, login and path",
      '{models: {providers: {p: {baseUrl: "http://u:p@llm.example.com:8443/v1?k=1"}}}}',
      ["llm.example.com:8443"],
    ],
    [
      "a local model",
      '{models: {providers: {p: {baseUrl: "http://localhost:11434"}}}}',
      ["loopback 127.0.0.1 11434"],
    ],
    [
      "a local model by its default port",
      '{agents: {defaults: {model: "ollama/x"}}}',
      ["loopback 127.0.0.1 11434"],
    ],
    [
      "a model on the local network",
      '{models: {providers: {p: {baseUrl: "http://10.1.2.3:8000"}}}}',
      ["private 10.1.2.3 8000"],
    ],
    [
      "a homeserver",
      '{channels: {matrix: {homeserver: "https://matrix.example.org"}}}',
      ["matrix.example.org:443"],
    ],
    ["an IRC server", '{channels: {irc: {host: "irc.example.org"}}}', ["irc.example.org:6697"]],
    [
      "mail servers",
      '{plugins: {entries: {imap: {config: {accounts: {a: {host: "mail.example.org"}, b: {host: "mx.example.org", port: 143}}}}}}}',
      ["mail.example.org:993", "mx.example.org:143"],
    ],
    [
      "signal-cli where the gateway starts it",
      "{channels: {signal: {transport: {httpPort: 8081}}}}",
      ["loopback 127.0.0.1 8081"],
    ],
    [
      "signal-cli elsewhere",
      '{channels: {signal: {transport: {kind: "external-native", url: "http://10.0.0.7:8080"}}}}',
      ["private 10.0.0.7 8080"],
    ],
    [
      "no port for signal-cli behind a socket",
      '{channels: {signal: {transport: {kind: "managed-native", socketPath: "/run/s"}}}}',
      [],
    ],
    [
      "a domain that is a URL",
      '{channels: {feishu: {domain: "https://feishu.example.com"}}}',
      ["feishu.example.com:443"],
    ],
    ["relays", '{channels: {nostr: {relays: ["wss://r.example.net"]}}}', ["r.example.net:443"]],
    [
      "a channel's proxy",
      '{channels: {discord: {proxy: "socks5://192.168.1.4"}}}',
      ["private 192.168.1.4 1080"],
    ],
    ["a tool server", '{mcp: {servers: {a: {url: "https://mcp.example.com/sse"}}}}', ["mcp.example.com:443"]],
    [
      "nothing for its own public address",
      '{gateway: {remote: {url: "wss://me.example.com"}}, channels: {telegram: {webhookUrl: "https://me.example.com/t"}}}',
      [],
    ],
  ] as const) {
    test(what, () => {
      assert.deepEqual(
        needsOf(text)
          .endpoints.map(({ value }) => shown(value))
          .sort(),
        expected,
      );
    });
  }

  test("what its variables say, and says so when they are not known", () => {
    const text = '{models: {providers: {p: {baseUrl: "${LLM_URL}/v1"}}}}';
    const known = needsOf(text, { LLM_URL: "https://llm.example.com:9443" });
    assert.deepEqual(
      known.endpoints.map(({ value }) => shown(value)),
      ["llm.example.com:9443"],
    );
    assert.deepEqual(needsOf(text).open, [
      "models.providers.p.baseUrl holds a variable that is not known here",
    ]);
  });

  test("webhooks at the channel's own port, or at the gateway", () => {
    const { listeners } = needsOf(
      '{channels: {telegram: {webhookUrl: "https://x.example.com"}, line: {}, msteams: {webhook: {port: 4000}}, slack: {mode: "socket"}}}',
    );
    assert.deepEqual(
      listeners.map(({ value }) => `${value.channel} ${value.port}`),
      ["line null", "msteams 4000", "telegram 8787"],
    );
  });

  test("the gateway's port from its variable, its file, or by default", () => {
    assert.equal(
      needsOf("{gateway: {port: 19001}}", { OPENCLAW_GATEWAY_PORT: "19002" }).gateway.port,
      19_002,
    );
    assert.equal(needsOf("{gateway: {port: 19001}}").gateway.port, 19_001);
    assert.equal(needsOf('{gateway: {port: "x", bind: "0.0.0.0"}}').gateway.port, 18_789);
    assert.equal(needsOf('{gateway: {bind: "0.0.0.0"}}').gateway.bind, null);
  });
});

describe("an address of the configuration", () => {
  for (const [url, expected] of [
    ["http://0x7f.1:9/", "loopback 127.0.0.1 9"],
    ["http://[::1]:8080", "loopback ::1 8080"],
    ["http://[::ffff:127.0.0.1]:8080", "loopback 127.0.0.1 8080"],
    ["http://0.0.0.0:8080", "loopback 127.0.0.1 8080"],
    ["http://api.localhost:8080", "loopback 127.0.0.1 8080"],
    ["https://8.8.8.8/", "public 8.8.8.8 443"],
    ["https://EXAMPLE.com./", "example.com:443"],
  ] as const) {
    test(`${url} leads to ${expected}`, () => {
      const parsed = parseEndpoint(url);
      assert.ok(parsed.ok);
      assert.equal(shown(parsed.endpoint), expected);
    });
  }
  for (const url of [
    "file:///etc/shadow",
    "https://a\tb.example.com",
    "https://exa mple.com",
    "//x.example.com",
    "https://co.uk",
    "http://box:1",
    "https://x.example.com:0",
    `https://${"a".repeat(3000)}.example.com`,
  ]) {
    test(`${JSON.stringify(url.slice(0, 40))} is refused`, () => assert.equal(parseEndpoint(url).ok, false));
  }
});

describe("a configuration of many files", () => {
  const assemble = (files: Readonly<Record<string, string>>) =>
    assembleConfiguration(MAIN, (path) => {
      const text = files[path.slice("/home/claw/.openclaw/".length)];
      return text === undefined ? { ok: false, problem: "does not exist" } : { ok: true, text };
    });

  test("joins lists, merges objects, and lets its own keys win", () => {
    const { root, problems } = assemble({
      "openclaw.json": '{$include: ["a.json5", "./b.json5"], gateway: {port: 3}}',
      "a.json5": '{gateway: {port: 1, bind: "lan"}, list: [1]}',
      "b.json5": "{gateway: {port: 2}, list: [2]}",
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      root?.get("gateway"),
      new Map<string, unknown>([
        ["port", 3],
        ["bind", "lan"],
      ]),
    );
    assert.deepEqual(root?.get("list"), [1, 2]);
  });

  test("that includes itself ends, and says so", () => {
    const { root, problems } = assemble({
      "openclaw.json": '{$include: "b.json5"}',
      "b.json5": '{$include: "openclaw.json", a: 1}',
    });
    assert.equal(root?.get("a"), 1);
    assert.deepEqual(problems, [`${MAIN} includes itself`]);
  });

  test("each of which includes the next twice ends at the limit of files", () => {
    const files: Record<string, string> = { "openclaw.json": '{$include: ["f0", "f0"]}' };
    for (let at = 0; at < 20; at += 1) files[`f${at}`] = `{$include: ["f${at + 1}", "f${at + 1}"]}`;
    const { problems } = assemble(files);
    assert.ok(problems.some((problem) => problem.includes(`more than ${INCLUDE_FILES_MAX} files`)));
    assert.ok(problems.some((problem) => problem.includes(`more than ${INCLUDE_DEPTH_MAX} files deep`)));
  });

  for (const name of ["../elsewhere.json", "/etc/shadow", "a/../../../etc/passwd", "", "a\\u0000b"]) {
    test(`does not include ${JSON.stringify(name)}`, () => {
      const asked: string[] = [];
      const { problems } = assembleConfiguration(MAIN, (path) => {
        asked.push(path);
        return path === MAIN ? { ok: true, text: `{$include: "${name}"}` } : { ok: true, text: "{}" };
      });
      assert.deepEqual(asked, [MAIN]);
      assert.equal(problems.length, 1);
    });
  }
});

describe("a text that is too much", () => {
  for (const [what, text, problem] of [
    ["long", " ".repeat(JSON_CHARS_MAX + 1), /characters/],
    ["deep", `${"[".repeat(JSON_DEPTH_MAX + 2)}${"]".repeat(JSON_DEPTH_MAX + 2)}`, /levels/],
    ["very deep", "[".repeat(500_000), /JSON5/],
    ["wide", `[${"0,".repeat(JSON_VALUES_MAX)}]`, /values/],
    ["no JSON5", '{token: "secret" oops}', /^is no JSON5 \(line 1, column \d+\)$/],
  ] as const) {
    test(`is refused when it is ${what}`, () => {
      const parsed = parseJson5(text);
      assert.ok(!parsed.ok);
      assert.match(parsed.problem, problem);
    });
  }
});

test("keys of every object's prototype are keys like others", () => {
  const parsed = parseJson5('{"__proto__": {polluted: true}, constructor: 1}');
  assert.ok(parsed.ok && isObject(parsed.value));
  assert.deepEqual([...parsed.value.keys()], ["__proto__", "constructor"]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("an environment file gives names and values as a shell would", () => {
  const found = parseEnvironmentFile("A=1\n# B=2\nexport C='x y' \nD=\"q\"\nE = e # note\nnot a line\n=x\n");
  assert.deepEqual(Object.fromEntries(found), { A: "1", C: "x y", D: "q", E: "e" });
});

test("variables are replaced once, and an escaped one is not", () => {
  const variables = new Map([
    ["A", "${B}"],
    ["B", "b"],
  ]);
  assert.equal(substitute("x${A}y", variables), "x${B}y");
  assert.equal(substitute("$${A}", variables), "${A}");
  assert.equal(substitute("${a} ${NO}", variables), null);
});

test("whatever a configuration holds, what is needed is bounded and can be shown", () => {
  const key = fc.oneof(
    fc.constantFrom(
      "channels",
      "models",
      "providers",
      "baseUrl",
      "agents",
      "model",
      "url",
      "telegram",
      "defaults",
      "tools",
      "web",
      "search",
      "provider",
      "relays",
    ),
    fc.string(),
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom("anthropic/x", "${HOME}", "wss://[::1]:7"),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, tree, { maxKeys: 6 }), (value) => {
      const needs = needsOf(JSON.stringify(value));
      const words = [...needs.presets, ...needs.endpoints, ...needs.listeners].flatMap(
        ({ because }) => because,
      );
      for (const word of [...words, ...needs.open]) assert.match(word, /^[ -~]{1,400}$/);
    }),
    { seed: 7, numRuns: 500 },
  );
});

describe("every word of the catalogue has a preset", () => {
  for (const word of CATALOGUE_PRESETS) {
    test(word, () => assert.ok(PRESET_NAMES.has(word), word));
  }
});
