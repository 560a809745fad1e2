/** Which model providers a configuration uses: definitions, logins, keys, and the prefix of every model. */
import { matchesPattern } from "../net/hostname.ts";
import { PRESET_NAMES, presetPatterns } from "../policy/preset/preset.ts";
import { KEY_VARIABLES, LOCAL_PROVIDERS, providerPreset, toolPreset } from "./catalogue.ts";
import { endpointOf, parseEndpoint } from "./endpoint.ts";
import { substitute } from "./environment.ts";
import { type Gathering, needEndpoint, needPreset, needUrl } from "./gathering.ts";
import { isObject, type JsonObject, type JsonValue, objectAt, textAt } from "./json.ts";
import { shownKeys } from "./shown.ts";

/** Keys whose text (or texts) is `provider/model`. */
const MODEL_KEY = /^(?:primary|fallbacks|[a-z]*model)$/i;
const HTTPS_PORT = 443;
/** LIMIT: how deep models are looked for below `agents` and `tools`. */
const SEARCH_DEPTH_MAX = 12;

/** Notes every provider that the configuration or the instance's variables name. */
export function gatherModels(found: Gathering, root: JsonObject): void {
  const defined = objectAt(root, "models", "providers");
  for (const [id, provider] of defined) gatherDefined(found, id, provider);
  const isDefined = (id: string): boolean => defined.has(id) || defined.has(id.toLowerCase());
  const use = (id: string, because: string): void => {
    if (!isDefined(id)) gatherNamed(found, id, because);
  };
  for (const [profile, value] of objectAt(root, "auth", "profiles")) {
    const provider = textAt(value, "provider");
    if (provider !== null) use(provider, shownKeys(["auth", "profiles", profile]));
  }
  for (const top of ["agents", "tools", "messages", "talk", "hooks"]) {
    for (const { provider, because } of modelsIn(root.get(top), [top], SEARCH_DEPTH_MAX))
      use(provider, because);
  }
  gatherMemory(use, root);
  for (const name of found.variables.keys()) {
    const word = KEY_VARIABLES.get(name);
    if (word !== undefined && !isDefined(word)) needPreset(found, word, `variable ${name}`);
  }
}

function gatherDefined(found: Gathering, id: string, provider: JsonValue): void {
  const because = shownKeys(["models", "providers", id]);
  const url = textAt(provider, "baseUrl") ?? textAt(provider, "baseURL");
  if (url === null) gatherNamed(found, id, because);
  else if (isAtHome(id, substitute(url, found.variables) ?? ""))
    needPreset(found, providerPreset(id), because);
  else needUrl(found, url, `${because}.baseUrl`);
}

/** Whether a provider's address is one of those that its own preset holds. */
function isAtHome(id: string, url: string): boolean {
  const parsed = parseEndpoint(url);
  if (!parsed.ok || parsed.endpoint.kind !== "name" || parsed.endpoint.port !== HTTPS_PORT) return false;
  const { name } = parsed.endpoint;
  return presetPatterns(providerPreset(id))?.some((pattern) => matchesPattern(pattern, name)) === true;
}

/** A provider that is only named: it is where its preset says, or on this host where it listens by default. */
function gatherNamed(found: Gathering, id: string, because: string): void {
  const word = id.toLowerCase();
  const localPort = LOCAL_PROVIDERS.get(word);
  if (localPort !== undefined) needEndpoint(found, endpointOf("127.0.0.1", localPort), because);
  else needPreset(found, providerPreset(word), because);
}

interface NamedModel {
  readonly provider: string;
  readonly because: string;
}

function modelsIn(value: JsonValue | undefined, keys: readonly string[], depth: number): NamedModel[] {
  if (value === undefined || value === null || typeof value !== "object" || depth === 0) return [];
  if (!isObject(value)) return value.flatMap((item) => modelsIn(item, keys, depth - 1));
  return [...value].flatMap(([key, item]) => {
    const here = [...keys, key];
    if (key === "models" && isObject(item))
      return [...item.keys()].flatMap((model) => providerOf(model, here));
    if (MODEL_KEY.test(key)) {
      const texts = Array.isArray(item) ? item : [item];
      const named = texts.flatMap((text) => (typeof text === "string" ? providerOf(text, here) : []));
      if (named.length > 0) return named;
    }
    return modelsIn(item, here, depth - 1);
  });
}

/** `anthropic/claude-sonnet-4-6` is Anthropic's; a model without a prefix says nothing. */
function providerOf(model: string, keys: readonly string[]): NamedModel[] {
  const slash = model.indexOf("/");
  const provider = slash < 0 ? "" : model.slice(0, slash);
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(provider) ? [{ provider, because: shownKeys(keys) }] : [];
}

/** `memorySearch.provider`: embeddings. `local` and `auto` name nobody. */
function gatherMemory(use: (id: string, because: string) => void, root: JsonObject): void {
  const blocks: [string[], JsonValue][] = [[["agents", "defaults"], objectAt(root, "agents", "defaults")]];
  for (const [id, agent] of objectAt(root, "agents", "entries"))
    blocks.push([["agents", "entries", id], agent]);
  for (const [keys, block] of blocks) {
    const provider = textAt(block, "memorySearch", "provider");
    if (provider === null) continue;
    const word = toolPreset(provider);
    if (PRESET_NAMES.has(word) || LOCAL_PROVIDERS.has(word)) use(word, shownKeys([...keys, "memorySearch"]));
  }
}
