import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { copyCheckout, type Outcome, run } from "./support/checkout.ts";

const IMPORTS = 'import assert from "node:assert/strict"; import { describe, test } from "node:test";\n';
const NOT_ROOT = "data:text/javascript,process.geteuid=()=>1000";

interface Row {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly ci?: boolean;
  readonly code: number;
  readonly last: string;
  readonly says?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    title: "tests of all groups are counted together",
    files: {
      "src/a.test.ts": 'test("a", () => {});',
      "test/fuzz/b.test.ts": 'test("b", () => {}); test("c", () => {});',
    },
    code: 0,
    last: "3 passed, 0 failed",
  },
  {
    title: "a failed test is counted once, without the suites around it, with its name, values and output",
    files: {
      "src/a.test.ts":
        'describe("s", () => { test("adds", () => { console.log("seen"); assert.equal(1, 2); }); test("b", () => {}); });',
    },
    code: 1,
    last: "1 passed, 1 failed",
    says: /FAILED src\/a\.test\.ts\n {2}adds\n[^]*1 !== 2[^]*it printed:\n {4}seen/,
  },
  {
    title: "a failed subtest is counted once",
    files: { "src/a.test.ts": 'test("a", async (t) => { await t.test("b", () => assert.fail("no")); });' },
    code: 1,
    last: "0 passed, 1 failed",
  },
  {
    title: "no test at all is a failure",
    files: {},
    code: 1,
    last: "0 passed, 0 failed",
    says: /^no test ran$/m,
  },
  {
    title: "a file without a test is a failure",
    files: { "src/a.test.ts": 'test("a", () => {});', "src/b.test.ts": "console.log(1);" },
    code: 1,
    last: "1 passed, 1 failed",
    says: /src\/b\.test\.ts\n {2}has no test/,
  },
  {
    title: "a file that does not load is a failure, with the reason",
    files: { "src/a.test.ts": 'import "./missing.ts";' },
    code: 1,
    last: "0 passed, 1 failed",
    says: /the file itself[^]*ERR_MODULE_NOT_FOUND/,
  },
  {
    title: "a file that ends in the middle is a failure",
    files: {
      "src/a.test.ts":
        'test("a", () => {}); test("b", () => new Promise(() => setTimeout(() => process.exit(0), 100)));',
    },
    code: 1,
    last: "1 passed, 1 failed",
    says: /src\/a\.test\.ts\n {2}ended before all of its tests did/,
  },
  {
    title: "a skipped test is printed",
    files: { "src/a.test.ts": 'test("a", () => {}); test("b", { skip: "no moon" }, () => {});' },
    code: 0,
    last: "1 passed, 0 failed",
    says: /skip {3}src\/a\.test\.ts\n {2}b: skipped \(no moon\)/,
  },
  {
    title: "a skipped test is a failure in CI",
    files: { "src/a.test.ts": 'test("a", () => {}); test("b", (t) => t.skip("no moon"));' },
    ci: true,
    code: 1,
    last: "1 passed, 1 failed",
    says: /FAILED src\/a\.test\.ts\n {2}b: skipped \(no moon\)/,
  },
  {
    title: "a todo test is a failure in CI",
    files: { "src/a.test.ts": 'test("a", () => {}); test("b", { todo: true }, () => {});' },
    ci: true,
    code: 1,
    last: "1 passed, 1 failed",
  },
  {
    title: "kernel tests without root are one failure that says what is missing",
    files: { "src/a.test.ts": 'test("a", () => {});', "test/kernel/k.test.ts": 'test("k", () => {});' },
    code: 1,
    last: "1 passed, 1 failed",
    says: /^FAILED kernel: 1 test files did not run: they need root .*sudo npm test$/m,
  },
];

describe("script/run-tests.ts", () => {
  for (const row of ROWS) {
    test(row.title, async () => {
      const { code, out, err } = await runTestsOf(row);
      assert.deepEqual(
        { code, err, last: out.trimEnd().split("\n").at(-1) },
        { code: row.code, err: "", last: row.last },
      );
      assert.equal(out.match(/^\d+ passed, \d+ failed$/gm)?.length, 1);
      if (row.says !== undefined) assert.match(out, row.says);
    });
  }
});

async function runTestsOf({ files, ci = false }: Row): Promise<Outcome> {
  using checkout = copyCheckout();
  for (const [file, text] of Object.entries(files)) checkout.write(file, IMPORTS + text);
  const { NODE_TEST_CONTEXT: _inside, ...env } = process.env;
  const args = ["--import", NOT_ROOT, join(checkout.root, "script/run-tests.ts")];
  return await run(process.execPath, args, { env: { ...env, CI: String(ci) } });
}
