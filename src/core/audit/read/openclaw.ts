/** JSON of OpenClaw's own commands, and the pieces of its configuration. */
import { isObject, type JsonValue } from "../../openclaw/json.ts";
import type { ConfigValue, OpenclawAudit } from "../fact/openclaw.ts";
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

/** Returns a value of OpenClaw's configuration as the checks read it. */
export function configValue(value: JsonValue): ConfigValue {
  if (isObject(value)) return Object.fromEntries([...value].map(([key, item]) => [key, configValue(item)]));
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(configValue) : (value as ConfigValue);
}
