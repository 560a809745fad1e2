/**
 * A folder a machine: openclaw.json (and what it includes), machine.json (what else was found; absent: a host
 * with sshd alone), and beside them the policy and the report that `init` makes of it. `UPDATE_GOLDEN=1` writes
 * them anew; the difference is then read by a person.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, test } from "node:test";
import type { Facts, Instance, Neighbours } from "../../src/core/init/facts.ts";
import { policyText } from "../../src/core/init/policy-text.ts";
import { foundLines, openQuestions } from "../../src/core/init/report.ts";
import { assembleConfiguration } from "../../src/core/openclaw/assemble.ts";
import { openclawNeeds } from "../../src/core/openclaw/needs.ts";
import { checkPolicy } from "../../src/core/policy/check.ts";
import { policySchema } from "../../src/core/policy/schema.ts";
import { NOW_MS } from "../support/policy.ts";
import { parse as parseYaml } from "yaml";

const FOLDER = join(import.meta.dirname, "golden");
const HOME = "/home/openclaw/.openclaw";
const cases = readdirSync(FOLDER);

interface Machine {
  readonly variables?: Readonly<Record<string, string>>;
  readonly instances?: readonly Partial<Instance>[];
  readonly neighbours?: Partial<Neighbours>;
}

describe("init writes", () => {
  assert.ok(cases.length >= 19, "the golden folders are there");
  for (const name of cases) {
    const facts = factsOf(name);
    test(`${name}: the policy that was read by a person`, () => {
      golden(name, "policy.yaml", policyText(facts));
    });

    test(`${name}: the report that was read by a person`, () => {
      const found = foundLines(facts).map(({ word, text }) => `${word.padEnd(9)} ${text}`);
      const open = openQuestions(facts).map((text) => `look at: ${text}`);
      golden(name, "report.txt", `${[...found, ...open].join("\n")}\n`);
    });

    test(`${name}: a policy without a single warning, inbound enforced and outbound observed`, () => {
      const text = policyText(facts);
      const check = checkPolicy(text, {
        nowMs: NOW_MS,
        readSets: () => ({ sets: new Map(), diagnostics: [] }),
      });
      // Where no SSH was found nobody is let in, and that is said.
      const wanted = facts.neighbours.ssh.length === 0 ? ["policy/nobody-in"] : [];
      const said = check.diagnostics.filter(({ severity }) => severity !== "notice");
      assert.deepEqual(
        said.map(({ code }) => code),
        wanted,
      );
      assert.deepEqual(check.policy?.mode, { inbound: "enforce", outbound: "observe" });
      assert.ok(policySchema.safeParse(parseYaml(text)).success);
    });

    test(`${name}: nothing secret and nothing but printable ASCII`, () => {
      const all = `${policyText(facts)}${JSON.stringify([foundLines(facts), openQuestions(facts)])}`;
      assert.match(all, /^[\n -~]*$/);
      for (const secret of [
        "secret",
        "123456:ABCDEF",
        "0123456789abcdef0123456789abcdef",
        "hunter2",
        "mock-key",
      ]) {
        assert.ok(!all.includes(secret), secret);
      }
    });
  }
});

function factsOf(name: string): Facts {
  const machine = readMachine(name);
  const folder = join(FOLDER, name);
  const assembly = assembleConfiguration(posix.join(HOME, "openclaw.json"), (path) => {
    const file = join(folder, posix.relative(HOME, path));
    return existsSync(file)
      ? { ok: true, text: readFileSync(file, "utf8") }
      : { ok: false, problem: "does not exist" };
  });
  const variables = new Map(Object.entries(machine.variables ?? {}));
  const instance: Instance = {
    configPath: posix.join(HOME, "openclaw.json"),
    evidence: "process 4711",
    uid: 991,
    user: "openclaw",
    pid: 4711,
    unit: null,
    container: null,
    needs: assembly.root === null ? null : openclawNeeds(assembly.root, variables),
    problems: assembly.problems,
  };
  const ssh = [{ port: 22, evidence: "sshd listens there (pid 1)" }];
  return {
    day: "2026-11-21",
    notLookedAt: [],
    instances: (machine.instances ?? [{}]).map((one) => ({ ...instance, ...one })),
    neighbours: {
      ssh,
      sshPasswords: null,
      ufw: "absent",
      docker: false,
      tunnels: [],
      listeners: [],
      ...machine.neighbours,
    },
  };
}

function readMachine(name: string): Machine {
  const path = join(FOLDER, name, "machine.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Machine) : {};
}

function golden(name: string, file: string, text: string): void {
  const path = join(FOLDER, name, file);
  if (process.env["UPDATE_GOLDEN"] === "1" && process.env["CI"] === undefined) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"));
}
