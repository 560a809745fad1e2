/** Reading OpenClaw's configuration by path, without trusting its shape. */
import type { ConfigObject, ConfigValue } from "../fact/openclaw.ts";

export function isObject(value: ConfigValue | undefined): value is ConfigObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns what stands at `gateway.auth.mode`, or undefined. */
export function at(config: ConfigObject, path: string): ConfigValue | undefined {
  let value: ConfigValue | undefined = config;
  for (const key of path.split(".")) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

export function textAt(config: ConfigObject, path: string): string | undefined {
  const value = at(config, path);
  return typeof value === "string" ? value : undefined;
}

/** Returns the members of an object with their path: `[["channels.telegram", {...}]]`. */
export function objectsUnder(config: ConfigObject, path: string): (readonly [string, ConfigObject])[] {
  const value = path === "" ? config : at(config, path);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    isObject(member) ? [[`${path}.${key}`, member] as const] : [],
  );
}

export function listAt(config: ConfigObject, path: string): readonly ConfigValue[] {
  const value = at(config, path);
  return Array.isArray(value) ? (value as readonly ConfigValue[]) : [];
}

/** Walks every value with its path; LIMIT: WALK_MAX values. */
export function walk(config: ConfigObject, visit: (path: string, value: ConfigValue) => void): void {
  const queue: (readonly [string, ConfigValue])[] = [["", config]];
  for (let seen = 0; seen < WALK_MAX && queue.length > 0; seen += 1) {
    const [path, value] = queue.shift() ?? ["", null];
    if (path !== "") visit(path, value);
    if (typeof value !== "object" || value === null) continue;
    for (const [key, member] of Object.entries(value))
      queue.push([path === "" ? key : `${path}.${key}`, member]);
  }
}

const WALK_MAX = 100_000;
