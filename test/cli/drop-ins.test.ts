import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { CheckReport } from "../../src/cli/command/policy/check.ts";
import { DROP_INS_MAX } from "../../src/core/policy/parse/vocabulary.ts";
import { run } from "../support/checkout.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

const rule = (text: string): string => `version: 1\ninbound:\n  - {${text}, why: a reason long enough}\n`;
const MAIN = rule("allow: ssh, from: any");
const WEB = rule("allow: 8082, from: any");

interface Machine {
  readonly folder: string;
  /** Runs Seawall in `folder`; `stdout` and `stderr` together in `said`. */
  readonly seawall: (
    args: readonly string[],
    input?: string,
  ) => Promise<{ code: number | null; out: string; err: string }>;
}

/** A configuration folder `etc` with these files, beside whatever else is named. */
function machine(context: TestContext, files: Readonly<Record<string, string>>): Machine {
  const folder = temporaryDirectory(context);
  for (const [name, text] of Object.entries({ "etc/policy.yaml": MAIN, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const env = { ...process.env, SEAWALL_CONFIG_DIR: join(folder, "etc") };
  return {
    folder,
    seawall: (args, input = "") => run(process.execPath, [CLI, ...args], { cwd: folder, env, input }),
  };
}

const FLOW = `${JSON.stringify({ direction: "inbound", from: "203.0.113.9", port: 8082, protocol: "tcp" })}\n`;

describe("the drop-ins of the configuration folder", () => {
  for (const [name, files, args, verdict] of [
    ["count when no file is named", { "etc/policy.d/web.yaml": WEB }, [], "accept"],
    [
      "count when its policy.yaml is named",
      { "etc/policy.d/web.yaml": WEB },
      ["--policy", "etc/policy.yaml"],
      "accept",
    ],
    [
      "count when its policy.yaml is named by another path",
      { "etc/policy.d/web.yaml": WEB },
      ["--policy", "etc/../etc/./policy.yaml"],
      "accept",
    ],
    [
      "count when its policy.yaml is named through a link",
      { "etc/policy.d/web.yaml": WEB },
      ["--policy", "link/policy.yaml"],
      "accept",
    ],
    [
      "do not count for another file of the folder",
      { "etc/policy.d/web.yaml": WEB, "etc/other.yaml": MAIN },
      ["--policy", "etc/other.yaml"],
      "refuse",
    ],
    [
      "do not count for a policy.yaml of another folder",
      { "etc/policy.d/web.yaml": WEB, "home/policy.yaml": MAIN },
      ["--policy", "home/policy.yaml"],
      "refuse",
    ],
    [
      "of another folder never count",
      { "home/policy.yaml": MAIN, "home/policy.d/web.yaml": WEB },
      ["--policy", "home/policy.yaml"],
      "refuse",
    ],
    ["count whatever they are called", { "etc/policy.d/a b\u00e9'$(x).yaml": WEB }, [], "accept"],
    ["are no files that begin with a dot", { "etc/policy.d/.web.yaml": WEB }, [], "refuse"],
    ["are no files of deeper folders", { "etc/policy.d/more/web.yaml": WEB }, [], "refuse"],
    ["need not be there", {}, [], "refuse"],
  ] as const) {
    test(name, async (context) => {
      const { folder, seawall } = machine(context, files);
      symlinkSync(join(folder, "etc"), join(folder, "link"));
      const { code, out, err } = await seawall(["evaluate", ...args], FLOW);
      assert.equal(code, 0, err);
      assert.equal((JSON.parse(out) as { verdict: string }).verdict, verdict);
    });
  }

  test("are in what compile prints", async (context) => {
    const { seawall } = machine(context, { "etc/policy.d/web.yaml": WEB, "draft.yaml": MAIN });
    assert.match((await seawall(["compile", "nftables"])).out, /allow-ssh[\s\S]*8082/);
    const { out } = await seawall(["compile", "nftables", "--policy", "draft.yaml"]);
    assert.match(out, /allow-ssh/);
    assert.doesNotMatch(out, /8082/);
  });

  test("are named by explain", async (context) => {
    const { seawall } = machine(context, { "etc/policy.d/web.yaml": WEB });
    const { out } = await seawall(["explain", "203.0.113.9", "8082", "--draft"]);
    assert.match(out, /Rule allow-8082 \(policy\.d\/web\.yaml, line 3\)/);
  });

  test("come after the main file, in the order of the bytes of their names", async (context) => {
    const { seawall } = machine(context, {
      "etc/policy.d/b.yaml": rule("id: third, allow: 8082, from: any"),
      "etc/policy.d/Z.yaml": rule("id: first, allow: 8082, from: any"),
      "etc/policy.d/\u00e9.yaml": rule("id: fourth, allow: 8082, from: any"),
      "etc/policy.d/a.yaml": rule("id: second, allow: 8082, from: any"),
    });
    const { out } = await seawall(["evaluate"], FLOW);
    assert.equal((JSON.parse(out) as { rule: string }).rule, "first");
    const compiled = (await seawall(["compile", "nftables"])).out;
    const order = ["first", "second", "third", "fourth"].map((id) => compiled.indexOf(`count_${id}`));
    assert.deepEqual(
      order,
      [...order].sort((left, right) => left - right),
    );
  });

  test("may name a file of prefixes beside themselves", async (context) => {
    const { seawall } = machine(context, {
      "etc/policy.d/web.yaml": `${rule("allow: 8082, from: office")}sets: {office: {file: office.txt}}\n`,
      "etc/policy.d/office.txt": "203.0.113.0/24\n",
    });
    const { out, err } = await seawall(["evaluate"], FLOW);
    assert.equal((JSON.parse(out) as { verdict: string }).verdict, "accept", err);
  });
});

describe("policy check of a policy with drop-ins", () => {
  const BAD = rule("allow: shh, from: any");

  test("shows the file, the line and the place of each problem", async (context) => {
    const { folder, seawall } = machine(context, { "etc/policy.d/10-web.yaml": BAD });
    const { code, out, err } = await seawall(["policy", "check"]);
    assert.equal(code, 2);
    assert.equal(
      out,
      [
        `${folder}/etc/policy.d/10-web.yaml:3:13: error: \`shh\` is not a service [policy/service]`,
        "  3 |   - {allow: shh, from: any, why: a reason long enough}",
        "    |             ^^^",
        "  help: did you mean `ssh`?",
        "",
      ].join("\n"),
    );
    assert.equal(err, `${folder}/etc/policy.yaml and 1 drop-in: 1 error\n`);
  });

  test("--json names the file of a drop-in, and none for the main file", async (context) => {
    const { seawall } = machine(context, { "etc/policy.yaml": BAD, "etc/policy.d/10-web.yaml": BAD });
    const { diagnostics } = JSON.parse((await seawall(["policy", "check", "--json"])).out) as CheckReport;
    const keys = ["code", "severity", "message", "help", "span"];
    assert.deepEqual(diagnostics.map(Object.keys), [keys, [...keys, "file"]]);
    assert.deepEqual(
      diagnostics.map(({ file, span }) => ({ file, span })),
      [
        { file: undefined, span: { line: 3, column: 13, length: 3 } },
        { file: "policy.d/10-web.yaml", span: { line: 3, column: 13, length: 3 } },
      ],
    );
  });

  for (const [name, files, said] of [
    ["a name in `.yml`", { "etc/policy.d/web.yml": WEB }, ["warning not-read policy.d/web.yml"]],
    ["a folder", { "etc/policy.d/web.yaml/x": WEB }, ["warning not-read policy.d/web.yaml"]],
    [
      "a file of prefixes that is missing",
      { "etc/policy.d/web.yaml": "version: 1\nsets: {x: {file: none.txt}}\n" },
      ["error set-file policy.d/web.yaml"],
    ],
    [
      "a drop-in that sets the mode",
      { "etc/policy.d/web.yaml": "version: 1\nmode: observe\n" },
      ["error drop-in policy.d/web.yaml"],
    ],
  ] as const) {
    test(`says what is wrong with ${name}`, async (context) => {
      const { seawall } = machine(context, files);
      const { out, code } = await seawall(["policy", "check", "--json"]);
      const { diagnostics } = JSON.parse(out) as CheckReport;
      assert.deepEqual(
        diagnostics.map(({ code: id, severity, file }) => `${severity} ${id.replace("policy/", "")} ${file}`),
        said,
      );
      assert.equal(code, said[0].startsWith("error") ? 2 : 0);
    });
  }

  test(`refuses more than ${DROP_INS_MAX} drop-ins, and takes that many`, async (context) => {
    const files = Array.from({ length: DROP_INS_MAX }, (_, at) => [
      `etc/policy.d/${String(at).padStart(2, "0")}.yaml`,
      rule(`allow: ${9_000 + at}, from: any`),
    ]);
    const { folder, seawall } = machine(context, Object.fromEntries(files) as Record<string, string>);
    assert.equal((await seawall(["policy", "check"])).code, 0);
    writeFileSync(join(folder, "etc/policy.d/99.yaml"), WEB);
    const { code, out } = await seawall(["policy", "check"]);
    assert.equal(code, 2);
    assert.match(out, /policy\.d\/99\.yaml:1:1: error: `policy\.d` holds 65 files, at most 64 are read/);
    assert.equal((await seawall(["evaluate"], FLOW)).code, 2);
  });

  test("refuses a link that leads nowhere", async (context) => {
    const { folder, seawall } = machine(context, { "etc/policy.d/a.yaml": WEB });
    symlinkSync("nowhere", join(folder, "etc/policy.d/web.yaml"));
    const { code, err } = await seawall(["policy", "check"]);
    assert.equal(code, 3);
    assert.match(err, /`.*policy\.d\/web\.yaml` is a link that leads nowhere/);
  });

  test("a file that is named is read alone", async (context) => {
    const { seawall } = machine(context, { "etc/policy.d/web.yaml": BAD, "draft.yaml": MAIN });
    const { code, err } = await seawall(["policy", "check", "draft.yaml"]);
    assert.equal(code, 0);
    assert.match(err, /draft\.yaml: no problems found/);
  });
});
