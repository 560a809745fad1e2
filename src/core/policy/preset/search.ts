import { type Preset, type PresetKind, seen } from "./entry.ts";

/** Web search and speech. Providers that are models too (perplexity by OpenRouter, grok, kimi) share a model's preset. */
export const SEARCH_PRESETS: readonly Preset[] = [
  single("brave", "search", "Brave Search", "npm @openclaw/brave-plugin", "api.search.brave.com"),
  single("deepgram", "speech", "Deepgram, speech to text", "OpenClaw 2026.9.6, dist", "api.deepgram.com"),
  single(
    "duckduckgo",
    "search",
    "DuckDuckGo",
    "DuckDuckGo's page without scripts; npm @openclaw/duckduckgo-plugin was not read",
    "html.duckduckgo.com",
  ),
  single(
    "edge-tts",
    "speech",
    "Microsoft Edge, text to speech",
    "OpenClaw 2026.9.6, extensions/microsoft; host of the edge-tts library",
    "speech.platform.bing.com",
  ),
  single(
    "elevenlabs",
    "speech",
    "ElevenLabs, text to speech",
    "OpenClaw 2026.9.6, dist",
    "api.elevenlabs.io",
  ),
  single("exa", "search", "Exa", "OpenClaw 2026.9.6, docs/tools/exa-search.md", "api.exa.ai"),
  single(
    "firecrawl",
    "search",
    "Firecrawl, which fetches any page for the agent",
    "OpenClaw 2026.9.6, docs/tools/firecrawl.md",
    "api.firecrawl.dev",
  ),
  single(
    "gradium",
    "speech",
    "Gradium, speech",
    "OpenClaw 2026.9.6, docs/providers/gradium.md",
    "api.gradium.ai",
  ),
  single(
    "inworld",
    "speech",
    "Inworld, text to speech",
    "OpenClaw 2026.9.6, docs/providers/inworld.md",
    "api.inworld.ai",
  ),
  single(
    "parallel",
    "search",
    "Parallel",
    "OpenClaw 2026.9.6, docs",
    "api.parallel.ai",
    "search.parallel.ai",
  ),
  single("perplexity", "search", "Perplexity", "npm @openclaw/perplexity-plugin", "api.perplexity.ai"),
  single("tavily", "search", "Tavily", "OpenClaw 2026.9.6, docs/tools/tavily.md", "api.tavily.com"),
];

function single(
  name: string,
  kind: PresetKind,
  about: string,
  source: string,
  ...hosts: readonly string[]
): Preset {
  return { name, kind, about, entries: [seen(source, ...hosts)] };
}
