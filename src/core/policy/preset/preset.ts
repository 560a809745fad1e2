import type { Hostname, NamePattern } from "../../net/hostname.ts";

/** A reviewed list of names under one word. Every entry says where it was seen. */
export interface Preset {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly source: string;
  readonly reviewed: string;
}

const REVIEWED = "2026-11-20";

/** Only exact names: a wildcard here would open every neighbour under it for everyone who uses the preset. */
export const PRESETS: readonly Preset[] = [
  {
    name: "openclaw",
    hosts: ["catalog.openclaw.ai", "telemetry.openclaw.ai", "clawhub.ai", "openclaw.ai", "docs.openclaw.ai"],
    source: "observed at gateway start and first turn of OpenClaw 2026.9.6",
    reviewed: REVIEWED,
  },
  {
    name: "anthropic",
    hosts: ["api.anthropic.com"],
    source: "OpenClaw 2026.9.6, extensions/anthropic",
    reviewed: REVIEWED,
  },
  {
    name: "openai",
    hosts: ["api.openai.com", "auth.openai.com", "chatgpt.com"],
    source: "OpenClaw 2026.9.6, extensions/openai",
    reviewed: REVIEWED,
  },
  {
    name: "google",
    hosts: ["generativelanguage.googleapis.com", "oauth2.googleapis.com", "www.googleapis.com"],
    source: "OpenClaw 2026.9.6, extensions/google",
    reviewed: REVIEWED,
  },
  {
    name: "openrouter",
    hosts: ["openrouter.ai"],
    source: "OpenClaw 2026.9.6, extensions/openrouter",
    reviewed: REVIEWED,
  },
  {
    name: "telegram",
    hosts: ["api.telegram.org"],
    source: "Telegram Bot API documentation; OpenClaw 2026.9.6, extensions/telegram",
    reviewed: REVIEWED,
  },
  {
    name: "github",
    hosts: [
      "github.com",
      "api.github.com",
      "codeload.github.com",
      "objects.githubusercontent.com",
      "release-assets.githubusercontent.com",
      "raw.githubusercontent.com",
    ],
    source: "OpenClaw 2026.9.6, github extension and GitHub's redirect targets",
    reviewed: REVIEWED,
  },
];

export const PRESET_NAMES: ReadonlySet<string> = new Set(PRESETS.map((preset) => preset.name));

/** Returns the names behind a preset, or undefined when there is none of that name. */
export function presetPatterns(name: string): readonly NamePattern[] | undefined {
  return PRESETS.find((preset) => preset.name === name)?.hosts.map((host) => ({
    kind: "exact",
    name: host as Hostname,
  }));
}
