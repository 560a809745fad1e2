import type { Hostname, NamePattern } from "../../net/hostname.ts";
import { CHANNEL_PRESETS } from "./channel.ts";
import type { Preset } from "./entry.ts";
import { OPENCLAW_PRESETS } from "./openclaw.ts";
import { PROVIDER_PRESETS } from "./provider.ts";
import { SEARCH_PRESETS } from "./search.ts";

/** Every preset: OpenClaw and its tools, providers, channels, then search and speech. */
export const PRESETS: readonly Preset[] = [
  ...OPENCLAW_PRESETS,
  ...PROVIDER_PRESETS,
  ...CHANNEL_PRESETS,
  ...SEARCH_PRESETS,
];

const BY_NAME: ReadonlyMap<string, Preset> = new Map(PRESETS.map((preset) => [preset.name, preset]));

export const PRESET_NAMES: ReadonlySet<string> = new Set(BY_NAME.keys());

/** Returns the names behind a preset, or undefined when there is none of that name. */
export function presetPatterns(name: string): readonly NamePattern[] | undefined {
  return BY_NAME.get(name)?.entries.flatMap(({ hosts }) => hosts.map(patternOf));
}

// INVARIANT: preset.test.ts reads every host by parseNamePattern; here they are known to be right.
function patternOf(host: string): NamePattern {
  return host.startsWith("*.")
    ? { kind: "below", suffix: host.slice(2) as Hostname }
    : { kind: "exact", name: host as Hostname };
}
