/** JSON of OpenClaw's own commands, and the pieces of its configuration. */
import type { ConfigObject, ConfigValue, OpenclawAudit } from "../fact/openclaw.ts";
import { isObject } from "./config-path.ts";
import { isJson, type Json, parseObject, textOf } from "./json.ts";

/** Returns what `openclaw security audit --json` found, or undefined when the text is not that. */
export function parseOpenclawAudit(text: string): OpenclawAudit | undefined {
  const root = jsonIn(text);
  const report = root !== undefined && isJson(root["report"]) ? root["report"] : root;
  const summary = report?.["summary"];
  if (report === undefined || !isJson(summary) || !Array.isArray(report["findings"])) return undefined;
  const findings = (report["findings"] as readonly unknown[]).filter(isJson).map((finding) => ({
    id: textOf(finding["checkId"]),
    severity: textOf(finding["severity"]),
    title: textOf(finding["title"]),
    detail: textOf(finding["detail"]).split("\n")[0] ?? "",
  }));
  const suppressed = report["suppressedFindings"];
  return {
    critical: Number(summary["critical"] ?? 0),
    warn: Number(summary["warn"] ?? 0),
    findings,
    suppressed: Array.isArray(suppressed) ? suppressed.length : 0,
  };
}

/** Returns what `openclaw secrets audit --json` counts, with the place of each finding. */
export function parseSecretsAudit(
  text: string,
): { readonly plaintext: number; readonly details: readonly string[] } | undefined {
  const root = jsonIn(text);
  const summary = root !== undefined && isJson(root["summary"]) ? root["summary"] : root;
  const count = summary?.["plaintextCount"];
  if (root === undefined || typeof count !== "number") return undefined;
  const findings = Array.isArray(root["findings"])
    ? (root["findings"] as readonly unknown[]).filter(isJson)
    : [];
  const details = findings
    .filter((finding) => /PLAINTEXT/i.test(textOf(finding["code"])))
    .map((finding) => `${textOf(finding["file"])}: ${textOf(finding["jsonPath"])}`);
  return { plaintext: count, details };
}

/** Returns what `openclaw doctor --lint --json` says. */
export function parseDoctor(
  text: string,
): { readonly ok: boolean; readonly findings: readonly string[] } | undefined {
  const root = jsonIn(text);
  if (root === undefined || typeof root["ok"] !== "boolean") return undefined;
  const list = Array.isArray(root["findings"]) ? (root["findings"] as readonly unknown[]) : [];
  const findings = list.filter(isJson).filter((finding) => textOf(finding["severity"], "error") === "error");
  return {
    ok: root["ok"] || findings.length === 0,
    findings: findings.map((finding) =>
      textOf(finding["message"] ?? finding["title"] ?? finding["id"], "a finding"),
    ),
  };
}

/** The commands print notes before their JSON: the first line that begins an object begins it. */
function jsonIn(text: string): Json | undefined {
  const start = /^\{/m.exec(text)?.index;
  if (start === undefined) return undefined;
  return parseObject(text.slice(start));
}

/** Returns the files that `$include` names anywhere in a configuration. */
export function includesOf(value: ConfigValue): string[] {
  if (Array.isArray(value)) return (value as readonly ConfigValue[]).flatMap(includesOf);
  if (!isObject(value)) return [];
  const own = value["$include"];
  const named =
    typeof own === "string"
      ? [own]
      : Array.isArray(own)
        ? (own as readonly ConfigValue[]).filter((one) => typeof one === "string")
        : [];
  return [
    ...named,
    ...Object.entries(value).flatMap(([key, member]) => (key === "$include" ? [] : includesOf(member))),
  ];
}

/** Puts included files in their place: what stands beside `$include` wins over what is included. */
export function withIncludes(
  value: ConfigValue,
  files: ReadonlyMap<string, ConfigValue>,
  depth = 0,
): ConfigValue {
  if (depth > INCLUDE_DEPTH_MAX) return value;
  if (Array.isArray(value))
    return (value as readonly ConfigValue[]).map((item) => withIncludes(item, files, depth + 1));
  if (!isObject(value)) return value;
  const { $include: named, ...rest } = value;
  const own = Object.fromEntries(
    Object.entries(rest).map(([key, member]) => [key, withIncludes(member, files, depth + 1)]),
  );
  const paths =
    typeof named === "string" ? [named] : Array.isArray(named) ? (named as readonly ConfigValue[]) : [];
  const included = paths.map((path) => withIncludes(files.get(textOf(path)) ?? {}, files, depth + 1));
  return [...included, own].reduce(merge, {});
}

/** LIMIT: files that include files, as OpenClaw itself has it. */
const INCLUDE_DEPTH_MAX = 10;

function merge(base: ConfigValue, over: ConfigValue): ConfigValue {
  if (!isObject(base) || !isObject(over)) return over;
  const merged: Record<string, ConfigValue> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = before === undefined ? value : merge(before, value);
  }
  return merged satisfies ConfigObject;
}
