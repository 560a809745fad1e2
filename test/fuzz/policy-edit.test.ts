import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addRule } from "../../src/core/policy/edit/add-rule.ts";
import { removeRule } from "../../src/core/policy/edit/remove-rule.ts";
import { setMode } from "../../src/core/policy/edit/set-mode.ts";
import { formatPolicy } from "../../src/core/policy/edit/format.ts";
import { parsePolicy } from "../../src/core/policy/parse/parse.ts";

const RUNS = Number(process.env["SEAWALL_FUZZ_RUNS"] ?? 300);
const SETTINGS = {
  numRuns: RUNS,
  ...(process.env["SEAWALL_FUZZ_RUNS"] === undefined ? { seed: 20_261_102 } : {}),
};
const OPTIONS = { nowMs: 0 };

const gap = fc.constantFrom("", "", "\n", "\n\n\n");
const comment = fc.constantFrom(
  "",
  "",
  "",
  "# a note",
  "#",
  "# - allow: off.example.com",
  "#  [ { ' \" *x &y",
);
const tail = fc.constantFrom("", "", "  # why so", "   ");

interface RuleText {
  readonly lines: readonly string[];
  readonly flow: string;
}

const names = fc.constantFrom(
  "a.example.com",
  '"*.example.com"',
  "'b.example.com'",
  "203.0.113.7",
  '[a.example.com, "*.b.example.org"]',
  "[\n__a.example.com, # one\n__b.example.com,\n_]",
);
const whys = fc.constantFrom(
  "needed for work",
  '"quoted: reason"',
  "'single: quoted'",
  ">-\n__folded over\n__two lines",
  "plain text over\n__two lines",
);

const rule: fc.Arbitrary<RuleText> = fc
  .record({ to: names, why: whys, port: fc.option(fc.integer({ min: 1, max: 65_535 })), swap: fc.boolean() })
  .map(({ to, why, port, swap }) => {
    const lines = [`allow: ${to}`, `why: ${why}`];
    if (port !== null) lines.push(`port: ${port}`);
    if (swap) lines.reverse();
    return { lines, flow: "" };
  });

/** A valid policy in a random layout: indentation, comments, empty lines, quotes. */
const policy = fc
  .record({
    rules: fc.array(fc.record({ rule, above: comment, inside: comment, tail, gap, wide: fc.boolean() }), {
      maxLength: 5,
    }),
    list: fc.constantFrom(0, 1, 2, 4),
    mode: fc.constantFrom(
      "",
      "mode: observe # m\n",
      "mode: {inbound: observe}\n",
      "mode:\n    # in\n    inbound: observe\n",
    ),
    head: comment,
    foot: comment,
    crlf: fc.boolean(),
  })
  .map(({ rules, list, mode, head, foot, crlf }) => {
    let text = `${head === "" ? "" : `${head}\n`}version: 1\n${mode}outbound:${rules.length === 0 ? " []" : ""}\n`;
    const pad = " ".repeat(list);
    for (const { rule: one, above, inside, tail: end, gap: space, wide } of rules) {
      const dash = wide ? "-   " : "- ";
      const inner = pad + " ".repeat(dash.length);
      if (above !== "") text += `${pad}${above}\n`;
      one.lines.forEach((line, at) => {
        const single = !line.includes("\n");
        const body = line.replaceAll("__", `${inner}   `).replaceAll("\n_]", `\n${inner} ]`);
        text += `${at === 0 ? pad + dash : inner}${body}${single ? end : ""}\n`;
        if (at === 0 && inside !== "") text += `${inner}${inside}\n`;
      });
      text += space;
    }
    if (foot !== "") text += `${foot}\n`;
    return crlf ? text.replaceAll("\n", "\r\n") : text;
  });

function meaning(text: string): string {
  const { document, diagnostics } = parsePolicy(text, OPTIONS);
  assert.ok(document !== null, JSON.stringify(diagnostics));
  return JSON.stringify(document, (key, value: unknown) => {
    if (key === "span") return undefined;
    return typeof value === "bigint" ? `${value}` : value;
  });
}

/** Every line with its comment, so that a lost or changed comment is seen. */
function comments(text: string): string[] {
  return [...text.matchAll(/(?:^|[ \t])(#[^\r\n]*)/gm)].map((match) => (match[1] ?? "").trimEnd());
}

let laidOut = 0;

test("fmt keeps meaning and comments, and does nothing the second time", () => {
  fc.assert(
    fc.property(policy, (text) => {
      const once = formatPolicy(text);
      assert.ok(once.ok);
      assert.equal(meaning(once.text), meaning(text));
      assert.deepEqual(comments(once.text), comments(text));
      assert.deepEqual(formatPolicy(once.text), once);
      if (!/^(?! {2}- (?:allow|why|port)) *- +(?:allow|why|port)/m.test(once.text)) laidOut += 1;
    }),
    SETTINGS,
  );
  assert.ok(laidOut > RUNS * 0.95, `only ${laidOut} of ${RUNS} were laid out`);
});

test("an added rule is the only difference, and removing it gives the file back", () => {
  fc.assert(
    fc.property(policy, rule, (text, added) => {
      const yaml = added.lines.join("\n").replaceAll("__", "    ").replaceAll("\n_]", "\n  ]");
      const after = addRule(text, "outbound", `id: the-new-one\n${yaml}`, OPTIONS);
      assert.ok(after.ok, JSON.stringify(after));
      const back = removeRule(after.text, "the-new-one", OPTIONS);
      assert.ok(back.ok, JSON.stringify(back));
      if (text.includes("outbound: []")) assert.equal(meaning(back.text), meaning(text));
      else assert.equal(back.text, text);
    }),
    SETTINGS,
  );
});

test("each rule can be removed, and all other lines stay byte for byte", () => {
  fc.assert(
    fc.property(policy, fc.nat(4), (text, pick) => {
      const rules = parsePolicy(text, OPTIONS).document?.outbound ?? [];
      const chosen = rules[pick];
      fc.pre(chosen !== undefined);
      const after = removeRule(text, chosen.id, OPTIONS);
      assert.ok(after.ok, JSON.stringify(after));
      assert.equal(parsePolicy(after.text, OPTIONS).document?.outbound?.length, rules.length - 1);
      const before = text.split("\n");
      const kept = after.text.replace("outbound: []", "outbound:").split("\n");
      const gone = before.length - kept.length;
      const start = chosen.span.line - 1;
      assert.deepEqual(kept, [...before.slice(0, start), ...before.slice(start + gone)]);
    }),
    SETTINGS,
  );
});

test("the mode is set without touching another line", () => {
  fc.assert(
    fc.property(
      policy,
      fc.constantFrom("inbound", "outbound", "both" as const),
      fc.constantFrom("observe", "enforce" as const),
      (text, direction, mode) => {
        const after = setMode(text, direction, mode, OPTIONS);
        assert.ok(after.ok, JSON.stringify(after));
        const { document } = parsePolicy(after.text, OPTIONS);
        if (direction !== "outbound") assert.equal(document?.mode.inbound, mode);
        if (direction !== "inbound") assert.equal(document?.mode.outbound, mode);
        const isMode = (line: string): boolean =>
          /^mode:|^ +(?:inbound|outbound): (?:observe|enforce)/.test(line);
        const rest = (of: string): string[] => of.split("\n").filter((line) => !isMode(line));
        assert.deepEqual(rest(after.text), rest(text));
      },
    ),
    SETTINGS,
  );
});
