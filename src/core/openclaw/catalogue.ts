/** OpenClaw's words (2026.9.6) for providers, search, speech and channels, and the preset behind each. */

/** Another word for a provider's preset: earlier spellings, and logins that use the same hosts. */
const PROVIDER_ALIASES: ReadonlyMap<string, string> = new Map([
  ["alibaba", "qwen"],
  ["aws-bedrock", "amazon-bedrock"],
  ["bedrock", "amazon-bedrock"],
  ["claude-cli", "anthropic"],
  ["codex", "openai"],
  ["codex-cli", "openai"],
  ["copilot", "github-copilot"],
  ["gemini", "google"],
  ["gemini-cli", "google-cloudcode"],
  ["google-antigravity", "google-cloudcode"],
  ["google-gemini-cli", "google-cloudcode"],
  ["grok", "xai"],
  ["hf", "huggingface"],
  ["kimi", "moonshot"],
  ["kimi-code", "moonshot"],
  ["kimi-coding", "moonshot"],
  ["minimax-portal", "minimax"],
  ["moonshotai", "moonshot"],
  ["modelstudio", "qwen"],
  ["openai-codex", "openai"],
  ["opencode-go", "opencode"],
  ["qwen-portal", "qwen"],
  ["stepfun-plan", "stepfun"],
  ["vertex", "google-vertex"],
  ["volcengine-plan", "volcengine"],
  ["x-ai", "xai"],
  ["xiaomi-token-plan", "xiaomi"],
  ["z.ai", "zai"],
]);

/** Where a local model listens when the configuration does not say: docs/providers of OpenClaw 2026.9.6. */
export const LOCAL_PROVIDERS: ReadonlyMap<string, number> = new Map([
  ["litellm", 4000],
  ["lmstudio", 1234],
  ["ollama", 11434],
  ["sglang", 30000],
  ["vllm", 8000],
]);

/** Variables that hold a provider's key, and the word for the provider. */
export const KEY_VARIABLES: ReadonlyMap<string, string> = new Map([
  ["AI_GATEWAY_API_KEY", "vercel-ai-gateway"],
  ["ANTHROPIC_API_KEY", "anthropic"],
  ["ANTHROPIC_OAUTH_TOKEN", "anthropic"],
  ["ARCEEAI_API_KEY", "arcee"],
  ["AWS_BEARER_TOKEN_BEDROCK", "amazon-bedrock"],
  ["BASETEN_API_KEY", "baseten"],
  ["BRAVE_API_KEY", "brave"],
  ["CEREBRAS_API_KEY", "cerebras"],
  ["CHUTES_API_KEY", "chutes"],
  ["CHUTES_OAUTH_TOKEN", "chutes"],
  ["CLAWROUTER_API_KEY", "clawrouter"],
  ["CLOUDFLARE_AI_GATEWAY_API_KEY", "cloudflare-ai-gateway"],
  ["COHERE_API_KEY", "cohere"],
  ["COPILOT_GITHUB_TOKEN", "github-copilot"],
  ["DASHSCOPE_API_KEY", "qwen"],
  ["DEEPGRAM_API_KEY", "deepgram"],
  ["DEEPINFRA_API_KEY", "deepinfra"],
  ["DEEPSEEK_API_KEY", "deepseek"],
  ["ELEVENLABS_API_KEY", "elevenlabs"],
  ["EXA_API_KEY", "exa"],
  ["FAL_API_KEY", "fal"],
  ["FAL_KEY", "fal"],
  ["FEATHERLESS_API_KEY", "featherless"],
  ["FIRECRAWL_API_KEY", "firecrawl"],
  ["FIREWORKS_API_KEY", "fireworks"],
  ["GEMINI_API_KEY", "google"],
  ["GMI_API_KEY", "gmi"],
  ["GOOGLE_API_KEY", "google"],
  ["GOOGLE_CLOUD_API_KEY", "google-vertex"],
  ["GRADIUM_API_KEY", "gradium"],
  ["GROQ_API_KEY", "groq"],
  ["HF_TOKEN", "huggingface"],
  ["HUGGINGFACE_HUB_TOKEN", "huggingface"],
  ["INWORLD_API_KEY", "inworld"],
  ["KILOCODE_API_KEY", "kilocode"],
  ["KIMI_API_KEY", "moonshot"],
  ["LONGCAT_API_KEY", "longcat"],
  ["MINIMAX_API_KEY", "minimax"],
  ["MINIMAX_CODE_PLAN_KEY", "minimax"],
  ["MINIMAX_CODING_API_KEY", "minimax"],
  ["MINIMAX_OAUTH_TOKEN", "minimax"],
  ["MISTRAL_API_KEY", "mistral"],
  ["MODELSTUDIO_API_KEY", "qwen"],
  ["MOONSHOT_API_KEY", "moonshot"],
  ["NOVITA_API_KEY", "novita"],
  ["NVIDIA_API_KEY", "nvidia"],
  ["OLLAMA_API_KEY", "ollama-cloud"],
  ["OPENAI_API_KEY", "openai"],
  ["OPENCODE_API_KEY", "opencode"],
  ["OPENCODE_ZEN_API_KEY", "opencode"],
  ["OPENROUTER_API_KEY", "openrouter"],
  ["PARALLEL_API_KEY", "parallel"],
  ["PERPLEXITY_API_KEY", "perplexity"],
  ["QIANFAN_API_KEY", "qianfan"],
  ["QWEN_API_KEY", "qwen"],
  ["QWEN_TOKEN_PLAN_API_KEY", "qwen"],
  ["SENSEAUDIO_API_KEY", "senseaudio"],
  ["STEPFUN_API_KEY", "stepfun"],
  ["SYNTHETIC_API_KEY", "synthetic"],
  ["TAVILY_API_KEY", "tavily"],
  ["TOGETHER_API_KEY", "together"],
  ["TOKENHUB_API_KEY", "tencent"],
  ["TOKENPLAN_API_KEY", "tencent"],
  ["VENICE_API_KEY", "venice"],
  ["VOLCANO_ENGINE_API_KEY", "volcengine"],
  ["XAI_API_KEY", "xai"],
  ["XIAOMI_API_KEY", "xiaomi"],
  ["XIAOMI_TOKEN_PLAN_API_KEY", "xiaomi"],
  ["XI_API_KEY", "elevenlabs"],
  ["ZAI_API_KEY", "zai"],
  ["Z_AI_API_KEY", "zai"],
]);

/** `tools.web.search.provider`, `messages.tts.provider` and the like, where the word is not the preset's. */
const TOOL_ALIASES: ReadonlyMap<string, string> = new Map([
  ["edge", "edge-tts"],
  ["gemini", "google"],
  ["grok", "xai"],
  ["kimi", "moonshot"],
  ["microsoft", "edge-tts"],
]);

export interface ChannelKind {
  /** The preset of a channel that has one home; null when the configuration names the server. */
  readonly preset: string | null;
  /** Where the channel's own webhook listener is, when the configuration does not say. */
  readonly webhookPort: number | null;
  /** The key that says that webhooks are used, and the value it then has (null: any). */
  readonly webhookWhen: { readonly key: string; readonly value: string | null } | "always" | "never";
}

const CHANNELS: ReadonlyMap<string, ChannelKind> = new Map([
  ["discord", home("discord")],
  [
    "feishu",
    { ...home("feishu"), webhookPort: 3000, webhookWhen: { key: "connectionMode", value: "webhook" } },
  ],
  ["googlechat", { ...home("googlechat"), webhookWhen: "always" }],
  ["imessage", own("never")],
  ["irc", own("never")],
  ["line", { ...home("line"), webhookWhen: "always" }],
  ["matrix", own("never")],
  ["mattermost", own("never")],
  ["msteams", { ...home("msteams"), webhookPort: 3978, webhookWhen: "always" }],
  ["nextcloud-talk", { ...own("always"), webhookPort: 8788 }],
  ["nostr", own("never")],
  ["signal", own("never")],
  ["slack", { ...home("slack"), webhookWhen: { key: "mode", value: "http" } }],
  ["sms", { ...home("sms"), webhookWhen: "always" }],
  ["synology-chat", own("always")],
  ["telegram", { ...home("telegram"), webhookPort: 8787, webhookWhen: { key: "webhookUrl", value: null } }],
  ["tlon", own("never")],
  ["twitch", home("twitch")],
  ["webchat", own("never")],
  ["whatsapp", home("whatsapp")],
]);

function home(preset: string): ChannelKind {
  return { preset, webhookPort: null, webhookWhen: "never" };
}

function own(webhookWhen: "always" | "never"): ChannelKind {
  return { preset: null, webhookPort: null, webhookWhen };
}

/** Returns the preset's name for a provider's word (it may be one that does not exist). */
export function providerPreset(word: string): string {
  const lower = word.toLowerCase();
  return PROVIDER_ALIASES.get(lower) ?? lower;
}

/** Returns the preset's name for the word of a search or speech tool. */
export function toolPreset(word: string): string {
  const lower = word.toLowerCase();
  return TOOL_ALIASES.get(lower) ?? lower;
}

/** Every preset that a word of OpenClaw's can lead to. */
export const CATALOGUE_PRESETS: ReadonlySet<string> = new Set([
  ...PROVIDER_ALIASES.values(),
  ...TOOL_ALIASES.values(),
  ...KEY_VARIABLES.values(),
  ...[...CHANNELS.values()].flatMap(({ preset }) => preset ?? []),
]);

export function channelKind(word: string): ChannelKind | undefined {
  return CHANNELS.get(word.toLowerCase());
}
