import { below, type Preset, regional, seen } from "./entry.ts";

/** Regions of Amazon Bedrock's runtime (AWS General Reference, Bedrock endpoints). */
const BEDROCK_REGIONS = [
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-south-1",
  "ap-south-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ca-central-1",
  "eu-central-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "sa-east-1",
  "us-east-1",
  "us-east-2",
  "us-west-2",
];

/** Regions of Vertex AI (Google Cloud, Vertex AI locations). */
const VERTEX_REGIONS = [
  "asia-east1",
  "asia-east2",
  "asia-northeast1",
  "asia-northeast3",
  "asia-south1",
  "asia-southeast1",
  "australia-southeast1",
  "europe-central2",
  "europe-north1",
  "europe-southwest1",
  "europe-west1",
  "europe-west2",
  "europe-west3",
  "europe-west4",
  "europe-west6",
  "europe-west8",
  "europe-west9",
  "me-central1",
  "me-central2",
  "me-west1",
  "northamerica-northeast1",
  "southamerica-east1",
  "us-central1",
  "us-east1",
  "us-east4",
  "us-east5",
  "us-south1",
  "us-west1",
  "us-west4",
];

/**
 * Model providers. Azure OpenAI has no preset: its hosts are NAME.openai.azure.com, anybody can have one, and
 * the configuration names it.
 */
export const PROVIDER_PRESETS: readonly Preset[] = [
  {
    name: "amazon-bedrock",
    kind: "provider",
    about: "Amazon Bedrock in every region; name your region's host instead if you can",
    entries: [
      regional(
        "OpenClaw 2026.9.6, docs of the Bedrock provider; AWS General Reference",
        "bedrock-runtime.REGION.amazonaws.com",
        BEDROCK_REGIONS,
      ),
      regional("model discovery of the Bedrock provider", "bedrock.REGION.amazonaws.com", BEDROCK_REGIONS),
    ],
  },
  single("anthropic", "Anthropic", "OpenClaw 2026.9.6, extensions/anthropic", "api.anthropic.com"),
  single("baseten", "Baseten", "OpenClaw 2026.9.6, provider docs", "inference.baseten.co"),
  single("cerebras", "Cerebras", "OpenClaw 2026.9.6, provider docs", "api.cerebras.ai"),
  single("chutes", "Chutes", "OpenClaw 2026.9.6, provider docs", "llm.chutes.ai"),
  single(
    "clawrouter",
    "OpenClaw's model router",
    "OpenClaw 2026.9.6, extensions/clawrouter",
    "clawrouter.openclaw.ai",
  ),
  single(
    "cloudflare-ai-gateway",
    "Cloudflare's AI gateway",
    "OpenClaw 2026.9.6, provider docs",
    "gateway.ai.cloudflare.com",
  ),
  single("cohere", "Cohere", "OpenClaw 2026.9.6, provider docs", "api.cohere.ai"),
  single("deepinfra", "DeepInfra", "OpenClaw 2026.9.6, dist", "api.deepinfra.com"),
  single("deepseek", "DeepSeek", "npm @openclaw/deepseek-provider", "api.deepseek.com"),
  single("fireworks", "Fireworks", "OpenClaw 2026.9.6, provider docs", "api.fireworks.ai"),
  {
    name: "github-copilot",
    kind: "provider",
    about: "GitHub Copilot's models and the login for them",
    entries: [
      seen("OpenClaw 2026.9.6, extensions/github-copilot", "api.github.com", "github.com"),
      below(
        "OpenClaw 2026.9.6, extensions/github-copilot; GitHub's Copilot allowlist reference",
        "the host is chosen by the subscription: api.individual, api.business, api.enterprise and others to come",
        "*.githubcopilot.com",
      ),
    ],
  },
  single(
    "google",
    "Google Gemini",
    "OpenClaw 2026.9.6, extensions/google and docs/providers/google.md",
    "generativelanguage.googleapis.com",
    "oauth2.googleapis.com",
    "www.googleapis.com",
  ),
  single(
    "google-cloudcode",
    "Gemini by a Google account (Cloud Code)",
    "OpenClaw 2026.9.6, dist",
    "cloudcode-pa.googleapis.com",
    "oauth2.googleapis.com",
  ),
  {
    name: "google-vertex",
    kind: "provider",
    about: "Google Vertex AI in every region; name your region's host instead if you can",
    entries: [
      seen(
        "OpenClaw 2026.9.6, dist",
        "aiplatform.googleapis.com",
        "cloudresourcemanager.googleapis.com",
        "iamcredentials.googleapis.com",
        "oauth2.googleapis.com",
      ),
      regional("Google Cloud, Vertex AI locations", "REGION-aiplatform.googleapis.com", VERTEX_REGIONS),
    ],
  },
  single("groq", "Groq", "OpenClaw 2026.9.6, docs/providers/groq.md", "api.groq.com"),
  single(
    "huggingface",
    "Hugging Face",
    "OpenClaw 2026.9.6, extensions/huggingface",
    "huggingface.co",
    "router.huggingface.co",
  ),
  single("minimax", "MiniMax", "OpenClaw 2026.9.6, extensions/minimax", "api.minimax.io", "api.minimaxi.com"),
  single(
    "mistral",
    "Mistral",
    "npm @openclaw/mistral-provider",
    "api.eu.mistral.ai",
    "api.mistral.ai",
    "api.us.mistral.ai",
  ),
  single(
    "moonshot",
    "Moonshot (Kimi)",
    "OpenClaw 2026.9.6, docs/providers/moonshot.md",
    "api.kimi.com",
    "api.moonshot.ai",
    "api.moonshot.cn",
  ),
  single("novita", "Novita", "OpenClaw 2026.9.6, provider docs", "api.novita.ai"),
  single("nvidia", "NVIDIA", "OpenClaw 2026.9.6, extensions/nvidia", "integrate.api.nvidia.com"),
  single(
    "ollama-cloud",
    "Ollama's hosted models and search",
    "OpenClaw 2026.9.6, docs/providers/ollama.md",
    "ollama.com",
  ),
  {
    name: "openai",
    kind: "provider",
    about: "OpenAI's models, and the login of ChatGPT and Codex",
    entries: [
      seen("OpenClaw 2026.9.6, extensions/openai", "api.openai.com"),
      seen(
        "OpenClaw 2026.9.6, extensions/openai (login of Codex and ChatGPT)",
        "auth.openai.com",
        "chatgpt.com",
      ),
    ],
  },
  single("openrouter", "OpenRouter", "OpenClaw 2026.9.6, extensions/openrouter", "openrouter.ai"),
  {
    name: "qwen",
    kind: "provider",
    about: "Alibaba's Qwen models",
    entries: [
      seen(
        "OpenClaw 2026.9.6, docs/providers/qwen.md",
        "coding.dashscope.aliyuncs.com",
        "dashscope-intl.aliyuncs.com",
        "dashscope.aliyuncs.com",
      ),
    ],
  },
  single("together", "Together", "OpenClaw 2026.9.6, extensions/together", "api.together.xyz"),
  single("venice", "Venice", "OpenClaw 2026.9.6, docs and dist", "api.venice.ai"),
  single(
    "vercel-ai-gateway",
    "Vercel's AI gateway",
    "OpenClaw 2026.9.6, provider docs",
    "ai-gateway.vercel.sh",
  ),
  single(
    "xai",
    "xAI",
    "OpenClaw 2026.9.6, extensions/xai",
    "api.x.ai",
    "auth.x.ai",
    "cli-chat-proxy.grok.com",
  ),
  single("zai", "Z.AI", "OpenClaw 2026.9.6, docs/providers/zai.md", "api.z.ai", "open.bigmodel.cn"),
];

function single(name: string, owner: string, source: string, ...hosts: readonly string[]): Preset {
  return { name, kind: "provider", about: `${owner}: models`, entries: [seen(source, ...hosts)] };
}
