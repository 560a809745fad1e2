import { MODEL_ID } from "./model.ts";

export const GATEWAY_PORT = 18_789;
/** Nobody trusts it with anything: the gateway that takes it lives in a world of its own. */
export const GATEWAY_TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef";

export interface ConfigurationWanted {
  /** Where the model's interface is, for example `https://api.example.com/v1`. */
  readonly modelUrl: string;
  /** `lan`: on every address, as most guides have it. */
  readonly bind?: "loopback" | "lan";
  /** `proxy.proxyUrl`: OpenClaw then sends its own traffic there, and its tools' by environment. */
  readonly proxyUrl?: string;
}

/**
 * OpenClaw's own configuration: a gateway (on loopback unless said), its chat interface on, one model by name, commands without
 * approval. Telemetry, catalogue and update checks are left as they come. The keys are those of 2026.9.6, whose
 * schema is strict.
 */
export function configuration({ modelUrl, bind = "loopback", proxyUrl }: ConfigurationWanted): object {
  const model = {
    id: MODEL_ID,
    name: "A model that does what it is told",
    reasoning: false,
    input: ["text"],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 128_000,
    maxTokens: 8_000,
  };
  const provider = { baseUrl: modelUrl, apiKey: "not-a-secret", api: "openai-completions" };
  return {
    gateway: {
      mode: "local",
      port: GATEWAY_PORT,
      bind,
      auth: { mode: "token", token: GATEWAY_TOKEN },
      http: { endpoints: { chatCompletions: { enabled: true } } },
      controlUi: { automaticallyFetchFavicons: false },
    },
    models: { mode: "replace", providers: { test: { ...provider, models: [model] } } },
    agents: { defaults: { model: { primary: `test/${MODEL_ID}` }, skipBootstrap: true } },
    // With the search for tools on, most of them hide behind one.
    tools: { toolSearch: false, exec: { mode: "full" } },
    ...(proxyUrl !== undefined && { proxy: { proxyUrl } }),
  };
}
