/** Every command of ours that is printed or documented exists, with the options that are printed beside it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/registry.ts";
import { synonyms } from "../../src/cli/meant.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const OPTIONS = new Map(
  await Promise.all(
    Object.entries(COMMANDS).map(
      async ([words, { load }]) => [words, new Set(Object.keys((await load()).command.options))] as const,
    ),
  ),
);
const NOUNS = new Set([...OPTIONS.keys()].map((words) => words.split(" ")[0] ?? ""));
/** `seawall` as the name of a thing and not of the program: `table inet seawall`, a group, a package. */
const NO_COMMAND =
  /(?:inet|group|package|user|remove|root:|purge|install|add|table) seawall |seawall (?:as|is|and|out|seawalld|refusal)\b/;

interface Printed {
  readonly where: string;
  readonly line: string;
}

function printed(): Printed[] {
  const files = [
    ...globSync(["src/**/*.ts", "share/boot/*", "share/debian/*", "docs/*.md", "docs/adr/*.md"], {
      cwd: ROOT,
    }),
    "README.md",
    "SECURITY.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
  ].filter((file) => !file.endsWith(".test.ts"));
  return files.flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((text, at) =>
        NO_COMMAND.test(text)
          ? []
          : [...text.matchAll(/\bseawall ([a-z][a-z-]+(?: [^`"'|;&<>]*)?)/g)].flatMap(([, line = ""]) => ({
              where: `${file}:${at + 1}`,
              line,
            })),
      ),
  );
}

/** Why a printed line is none of ours, or null. */
function problemOf(line: string): string | null {
  const [first = "", second = ""] = line.split(/[ .,:()]+/);
  const words = OPTIONS.has(`${first} ${second}`) ? `${first} ${second}` : first;
  const options = OPTIONS.get(words);
  if (options === undefined) return NOUNS.has(first) ? null : `there is no command \`${first}\``;
  const own = line.split(/ (?:and|then|or|puts|is|with the|says) /)[0] ?? "";
  for (const [, option = ""] of own.matchAll(/ --([a-z][a-z-]*)/g))
    if (option !== "help" && !options.has(option)) return `\`seawall ${words}\` has no option --${option}`;
  return null;
}

test("every `seawall COMMAND` in sources, scripts and documents is a command, with its options", () => {
  const all = printed();
  assert.ok(all.length > 200, `${all.length} lines`);
  const wrong = all.flatMap(({ where, line }) => {
    const problem = problemOf(line);
    return problem === null ? [] : [`${where}: ${problem} (${line.slice(0, 60)})`];
  });
  assert.deepEqual(wrong, []);
});

test("a command that does not exist is found", () => {
  assert.match(problemOf("harden openclaw --dedicated-user") ?? "", /no command `harden`/);
  assert.match(problemOf("apply --dedicated-user") ?? "", /no option --dedicated-user/);
  assert.equal(problemOf("policy check FILE --json"), null);
  assert.equal(problemOf(`${synonyms()[0]?.[1].say ?? ""} --help`), null);
});
