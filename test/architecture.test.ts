import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { cyclesOf, type Import, importsOf, readTree, type Sources } from "./support/import-graph.ts";

interface Arrow {
  readonly from: RegExp;
  /** A pattern; `$1` is what the first group of `from` matched. */
  readonly forbidden: string;
  readonly except?: RegExp;
  readonly why: string;
}

const IO =
  "^(node:)?(?!(url|util|crypto|assert)\\b)(fs|net|tls|os|https?|http2|dns|dgram|process|child_process|";

/** Test files may import anything; everything else under src obeys every row. */
const ARROWS: readonly Arrow[] = [
  {
    from: /^src\/core\//,
    forbidden: `${IO}worker_threads|sqlite|timers|readline|perf_hooks|module|stream|events)(/.*)?$|^koffi$`,
    why: "core is pure: what it needs from the world is an argument",
  },
  {
    from: /^src\/core\//,
    forbidden: "^src/(?!core/)",
    why: "core <- api <- edge <- apply <- daemon, cli, lab, twin: core knows nothing of what uses it",
  },
  {
    from: /^src\/core\/base\//,
    forbidden: "^src/core/(?!base/)",
    why: "base <- net <- policy <- compile, event, audit: base is the ground",
  },
  {
    from: /^src\/core\/net\//,
    forbidden: "^src/core/(?!base/|net/)",
    why: "base <- net <- policy: addresses and names know no policy",
  },
  {
    from: /^src\/core\/policy\//,
    forbidden: "^src/core/(?!base/|net/|policy/)",
    why: "policy <- compile, event, audit: the meaning of a policy depends on no target and on no traffic",
  },
  {
    from: /^src\/core\/(event|audit|detect|dns|tls|http|gate|openclaw)\//,
    forbidden: "^src/core/compile/",
    why: "only what loads rules compiles them",
  },
  {
    from: /^src\/core\/compile\/([^/]+)\//,
    forbidden: "^src/core/compile/(?!$1/)[^/]+/",
    why: "targets never import each other: what two of them share belongs in policy or compile/target.ts",
  },
  {
    from: /^src\/api\//,
    forbidden: `^src/(?!core/|api/)|${IO}sqlite)(/.*)?$`,
    why: "api is the contract that the browser reads too",
  },
  {
    from: /^src\/edge\//,
    forbidden: "^src/(?!core/|api/|edge/)",
    why: "edge <- apply <- daemon, cli, lab, twin: a system's adapter does not know who drives it",
  },
  {
    from: /^src\/edge\/(?!probe\/)([^/]+)\//,
    forbidden: "^src/edge/(?!$1/)",
    except: /^src\/edge\/host\//,
    why: "edge folders never import each other (host, the ground, aside): daemon, apply or cli joins them",
  },
  {
    from: /^src\/edge\/probe\//,
    forbidden: "^src/edge/(?!probe/)",
    except: /^src\/edge\/(host|openclaw)\//,
    why: "the audit's probe stands on host and openclaw, whose reading it shares, and on no other system",
  },
  {
    from: /^src\/apply\//,
    forbidden: "^src/(daemon|cli|install|lab|twin)/",
    why: "apply is used by the daemon and by the command line, so it knows neither",
  },
  {
    from: /^src\/prove\//,
    forbidden: "^src/(daemon|cli|lab|twin|gate)/",
    why: "prove looks at what is in force from outside, so it knows nobody that carries it out",
  },
  {
    from: /^src\/gate\//,
    forbidden: "^src/(apply|daemon|cli|lab|prove|twin)/",
    why: "a gate holds no rights: it may not even know the code that changes the kernel",
  },
  {
    from: /^src\/install\//,
    forbidden: "^src/(apply|cli|daemon|gate|lab|prove|twin)/",
    why: "install puts files in place: what the files do is not its business",
  },
  {
    from: /^src\/daemon\//,
    forbidden: "^src/(cli|lab|prove)/",
    why: "cli and daemon meet in api/contract.ts",
  },
  {
    from: /^src\/cli\/(?!command\/daemon\.ts$)/,
    forbidden: "^src/daemon/",
    why: "cli and daemon meet in api/contract.ts; only `seawall daemon` starts one",
  },
  {
    from: /^src\/cli\/command\/daemon\.ts$/,
    forbidden: "^src/daemon/(?!main\\.ts$)",
    why: "`seawall daemon` starts daemon/main.ts and knows nothing else of it",
  },
  {
    from: /^src\/(?!edge\/host\/command\.ts$)/,
    forbidden: "^(node:)?child_process$",
    why: "only edge/host/command.ts starts programs: absolute paths, argument arrays, a deadline",
  },
  { from: /^src\/(?!edge\/store\/)/, forbidden: "^node:sqlite$", why: "only edge/store opens databases" },
  {
    from: /^src\/(?!edge\/kernel\/netlink\/)/,
    forbidden: "^koffi$",
    why: "only edge/kernel/netlink calls libc",
  },
  { from: /^src\//, forbidden: "^(test|script|web)/", why: "what is shipped does not need what is not" },
];

/** Each planted file breaks exactly the row whose reason contains the words beside it. */
const PLANTED: readonly (readonly [path: string, text: string, why: string])[] = [
  ["src/core/net/x.ts", 'import { readFileSync } from "node:fs";', "core is pure"],
  ["src/core/net/x.ts", 'import type { Socket } from "net";', "core is pure"],
  ["src/core/event/x.ts", 'export { nft } from "../../edge/kernel/nft.ts";', "core knows nothing"],
  ["src/core/base/x.ts", 'import { ip } from "../net/ip.ts";', "base is the ground"],
  ["src/core/net/x.ts", 'import {\n  a,\n  b,\n} from "../policy/evaluate.ts";', "know no policy"],
  ["src/core/policy/x.ts", 'import { a } from "../compile/nftables/text.ts";', "no target"],
  ["src/core/event/x.ts", 'import { a } from "../compile/nftables/text.ts";', "only what loads rules"],
  ["src/core/compile/ufw/x.ts", 'import { a } from "../nftables/text.ts";', "targets never import"],
  ["src/api/x.ts", 'import "node:http";', "the browser reads"],
  ["src/edge/store/x.ts", 'import { a } from "../../daemon/pipeline.ts";', "who drives it"],
  ["src/edge/store/x.ts", 'const a = await import("../docker/bridge.ts");', "edge folders never"],
  ["src/edge/openclaw/x.ts", 'import { a } from "../probe/file.ts";', "edge folders never"],
  ["src/edge/host/x.ts", 'import { a } from "../openclaw/program.ts";', "edge folders never"],
  ["src/edge/probe/x.ts", 'import { a } from "../kernel/live.ts";', "on no other system"],
  ["src/apply/x.ts", 'import { a } from "../cli/main.ts";', "it knows neither"],
  ["src/core/gate/x.ts", 'import { a } from "../compile/nftables/text.ts";', "only what loads rules"],
  ["src/gate/x.ts", 'import { a } from "../apply/apply.ts";', "holds no rights"],
  ["src/prove/x.ts", 'import { a } from "../daemon/main.ts";', "from outside"],
  ["src/install/x.ts", 'import { a } from "../apply/apply.ts";', "is not its business"],
  ["src/daemon/x.ts", 'import { a } from "../cli/main.ts";', "cli and daemon meet"],
  ["src/cli/command/x.ts", 'import { a } from "../../daemon/main.ts";', "only `seawall daemon`"],
  ["src/cli/command/daemon.ts", 'import { a } from "../../daemon/pipeline.ts";', "nothing else of it"],
  ["src/daemon/x.ts", 'import { spawn } from "node:child_process";', "starts programs"],
  ["src/daemon/x.ts", 'import { DatabaseSync } from "node:sqlite";', "opens databases"],
  ["src/daemon/x.ts", 'const koffi = require("koffi");', "calls libc"],
  ["src/daemon/x.ts", 'import { a } from "../../test/support/namespace.ts";', "what is shipped"],
];

const MAX_LINES = 400;
const CLOCK = /\bnew Date\(\)|\bDate\.now\b|\bMath\.random\b|\bprocess\.(env|hrtime|cwd)\b/;
const ROOT = dirname(import.meta.dirname);
const TREE = readTree(ROOT);

describe("every import points down the layers", () => {
  test("in this checkout", () => {
    assert.deepEqual(violations(TREE), []);
  });

  for (const [path, text, why] of PLANTED) {
    test(`a planted ${path.replace("src/", "")} with \`${text.replaceAll("\n", " ")}\` is found`, () => {
      const found = violations(new Map([[path, text]]));
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(found[0]?.includes(path) && found[0].includes(why), found[0]);
    });
  }

  test("a test file may import anything", () => {
    const planted = new Map([["src/core/net/x.test.ts", 'import { readFileSync } from "node:fs";']]);
    assert.deepEqual(violations(planted), []);
  });
});

describe("imports form no cycle", () => {
  test("in this checkout", () => {
    assert.deepEqual(cyclesOf(shippedImports(TREE)), []);
  });

  test("a planted cycle of three files is found", () => {
    const planted = new Map([
      ["src/core/net/a.ts", 'import { b } from "./b.ts";'],
      ["src/core/net/b.ts", 'import { c } from "./c.ts";'],
      ["src/core/net/c.ts", 'import { a } from "./a.ts";'],
    ]);
    assert.deepEqual(cyclesOf(importsOf(planted)), [
      ["src/core/net/a.ts", "src/core/net/b.ts", "src/core/net/c.ts", "src/core/net/a.ts"],
    ]);
  });
});

describe("core takes the time as an argument", () => {
  const clocks = (tree: Sources): readonly string[] =>
    [...tree]
      .filter(([path, text]) => isShipped(path) && path.startsWith("src/core/") && CLOCK.test(text))
      .map(first);

  test("in this checkout", () => assert.deepEqual(clocks(TREE), []));
  test("a planted `new Date()` is found", () => {
    assert.deepEqual(clocks(new Map([["src/core/net/x.ts", "const now = new Date();"]])), [
      "src/core/net/x.ts",
    ]);
  });
});

describe("files stay small and are named after the field", () => {
  test(`no source file has more than ${MAX_LINES} lines`, () => {
    assert.deepEqual(tooLong(TREE), []);
    assert.deepEqual(tooLong(new Map([["src/x.ts", "\n".repeat(MAX_LINES + 1)]])), ["src/x.ts"]);
  });

  test("no folder or file is called utils, helpers, common, manager, service, data or info", () => {
    assert.deepEqual(badNames([...TREE.keys()]), []);
  });

  for (const path of [
    "src/utils/a.ts",
    "src/cli/helpers.ts",
    "src/daemon/name-utils.ts",
    "src/daemon/service.ts",
  ]) {
    test(`a planted ${path} is found`, () => assert.deepEqual(badNames([path]), [path]));
  }
});

describe("no file names a path of the machine it was written on", () => {
  test("in this checkout", () => assert.deepEqual(machinePaths(TREE), []));
  test("a planted path is found", () => {
    const planted = new Map([
      ["README.md", `see ${ROOT}/src`],
      ["STYLE.md", ["", "Users", "ann", "seawall"].join("/")],
    ]);
    assert.deepEqual(machinePaths(planted), ["README.md", "STYLE.md"]);
  });
});

function violations(tree: Sources): readonly string[] {
  return shippedImports(tree).flatMap((edge) =>
    ARROWS.filter((arrow) => breaks(arrow, edge)).map(({ why }) => `${edge.from} -> ${edge.to}: ${why}`),
  );
}

function breaks(arrow: Arrow, edge: Import): boolean {
  const match = arrow.from.exec(edge.from);
  if (match === null || arrow.except?.test(edge.to)) return false;
  return new RegExp(arrow.forbidden.replaceAll("$1", match[1] ?? "")).test(edge.to);
}

function shippedImports(tree: Sources): readonly Import[] {
  return importsOf(new Map([...tree].filter(([path]) => isShipped(path))));
}

function isShipped(path: string): boolean {
  return path.startsWith("src/") && !path.endsWith(".test.ts");
}

function tooLong(tree: Sources): readonly string[] {
  const sources = [...tree].filter(([path]) => /\.(ts|mjs|js|sh)$/.test(path));
  return sources.filter(([, text]) => text.split("\n").length - 1 > MAX_LINES).map(first);
}

function badNames(paths: readonly string[]): readonly string[] {
  const allowed = "src/core/net/service.ts";
  const whole = /^(utils?|helpers?|common|misc|manager|service|data|info|lib)$/;
  const part = /(^|-)(utils?|helpers?|misc|manager)(-|$)/;
  const isBad = (name: string): boolean => whole.test(name) || part.test(name);
  return paths
    .filter((path) => /^(src|test|script|web)\//.test(path) && !path.startsWith(allowed.replace(".ts", ".")))
    .filter((path) => path.split("/").some((name) => isBad(name.replace(/\..*$/, ""))));
}

/** This checkout's own path and its parent's, where that is not a folder every machine has, and homes on a Mac. */
function machinePaths(tree: Sources): readonly string[] {
  const parent = dirname(ROOT);
  const own = /^\/(|tmp|home|root|opt|srv|mnt|var|usr|var\/tmp|usr\/src)$/.test(parent) ? ROOT : parent;
  const escaped = own.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const patterns = [new RegExp(`(?<![\\w.-])${escaped}/`), /(?<![\w.-])\/Users\/\w/];
  return [...tree].filter(([, text]) => patterns.some((pattern) => pattern.test(text))).map(first);
}

function first([path]: readonly [string, string]): string {
  return path;
}
