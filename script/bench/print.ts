/** Outcomes as text for a terminal and as the page docs/benchmarks.md. */
import type { Comparison, Figure, Outcome } from "./result.ts";
import type { Summary } from "./sample.ts";

/** Returns the lines of one benchmark for a terminal. */
export function asText(outcome: Outcome): string {
  if (!outcome.ok) return `${outcome.name}: COULD NOT BE MEASURED: ${outcome.why}\n`;
  const { result, seconds } = outcome;
  const rows = [
    ...result.figures.map((figure) => [figure.what, figureText(figure)]),
    ...result.comparisons.map((one) => [one.what, `${ratioText(one)}  ${verdictText(one)}`.trimEnd()]),
  ];
  const width = Math.max(...rows.map(([what = ""]) => what.length));
  return [
    `${result.name}: ${result.title} (${seconds.toFixed(0)} s)`,
    ...rows.map(([what = "", figure = ""]) => `  ${what.padEnd(width)}  ${figure}`),
    ...result.notes.map((note) => `  note: ${note}`),
    "",
  ].join("\n");
}

/** Returns the page. Every figure in it is of this run. */
export function asPage(outcomes: readonly Outcome[], machine: readonly string[]): string {
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench -- --write`; every figure is of one run. Each benchmark measures Seawall and a peer in",
    "turn (A B B A ...) in throw-away namespaces of the same machine. A ratio is the median of the ratios of the rounds,",
    "with the smallest and the largest; n is the number of rounds. Absolute figures belong to this machine, ratios travel",
    "better.",
    "",
    ...machine.map((line) => `- ${line}`),
    "",
    ...outcomes.flatMap(section),
  ].join("\n");
}

function section(outcome: Outcome): string[] {
  if (!outcome.ok) return [`## ${outcome.name}`, "", `Could not be measured: ${outcome.why}`, ""];
  const { result } = outcome;
  return [
    `## ${result.name}: ${result.title}`,
    "",
    "| what | median | min – max | n |",
    "|---|---|---|---|",
    ...result.figures.map(({ what, unit, summary }) => {
      const { median, min, max, n } = summary;
      return `| ${what} | ${number(median)} ${unit} | ${number(min)} – ${number(max)} | ${n} |`;
    }),
    "",
    ...(result.comparisons.length === 0
      ? []
      : [
          "| ratio | median | min – max | n | goal | |",
          "|---|---|---|---|---|---|",
          ...result.comparisons.map((one) => {
            const { median, min, max, n } = one.summary;
            return `| ${one.what} | ${number(median)} | ${number(min)} – ${number(max)} | ${n} | ${goalText(one)} | ${reachedText(one)} |`;
          }),
          "",
        ]),
    ...result.notes.map((note) => `- ${note}`),
    ...(result.notes.length === 0 ? [] : [""]),
  ];
}

function figureText({ unit, summary }: Figure): string {
  return `${number(summary.median)} ${unit}  ${spread(summary)}`;
}

function ratioText({ summary }: Comparison): string {
  return `${number(summary.median)} x  ${spread(summary)}`;
}

function spread({ min, max, n }: Summary): string {
  return `(${number(min)}..${number(max)}, n=${n})`;
}

function verdictText(one: Comparison): string {
  return one.goal === null ? "" : `goal ${goalText(one)}: ${reachedText(one)}`;
}

function goalText({ goal }: Comparison): string {
  if (goal === null) return "";
  return `${goal.bound === "at least" ? ">=" : "<="} ${goal.ratio}`;
}

function reachedText({ reached }: Comparison): string {
  if (reached === null) return "";
  return reached ? "reached" : "not reached";
}

/** Three significant digits; thousands with a comma. */
function number(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const rounded = Number(value.toPrecision(3));
  return rounded >= 1_000 ? rounded.toLocaleString("en-US") : String(rounded);
}
