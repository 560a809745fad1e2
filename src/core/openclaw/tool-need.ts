/** Which search, speech and plugin services a configuration uses. */
import { PRESET_NAMES } from "../policy/preset/preset.ts";
import { endpointOf } from "./endpoint.ts";
import { LOCAL_PROVIDERS, toolPreset } from "./catalogue.ts";
import { type Gathering, needEndpoint, needPreset } from "./gathering.ts";
import { type JsonObject, isObject, isOff, objectAt, textAt } from "./json.ts";
import { shownKeys } from "./shown.ts";

/** Where a word for a service stands. */
const SERVICES: readonly (readonly string[])[] = [["tools", "web", "search"], ["messages", "tts"], ["talk"]];
/** Words that name nobody, or what has no server of its own. */
const NOBODY = new Set(["auto", "local", "none", "off", "system", "searxng"]);

/** Notes the services that tools and speech are set to, and plugins that are a service's. */
export function gatherTools(found: Gathering, root: JsonObject): void {
  for (const keys of SERVICES) {
    const block = objectAt(root, ...keys);
    const provider = textAt(block, "provider");
    if (provider !== null && !isOff(block)) gatherService(found, provider, shownKeys([...keys, "provider"]));
  }
  // Before `provider` existed, a key here was Brave's.
  const search = objectAt(root, "tools", "web", "search");
  if (search.has("apiKey") && !search.has("provider") && !isOff(search)) {
    needPreset(found, "brave", "tools.web.search.apiKey");
  }
  for (const [id, plugin] of objectAt(root, "plugins", "entries")) {
    if (!isObject(plugin) || isOff(plugin) || objectAt(plugin, "config").size === 0) continue;
    const preset = toolPreset(id);
    if (PRESET_NAMES.has(preset)) needPreset(found, preset, shownKeys(["plugins", "entries", id]));
  }
  gatherMedia(found, root);
}

function gatherMedia(found: Gathering, root: JsonObject): void {
  for (const [kind, block] of objectAt(root, "tools", "media")) {
    const models = isObject(block) ? block.get("models") : undefined;
    for (const model of Array.isArray(models) ? models : []) {
      const provider = textAt(model, "provider");
      if (provider !== null) gatherService(found, provider, shownKeys(["tools", "media", kind]));
    }
  }
}

function gatherService(found: Gathering, word: string, because: string): void {
  const lower = word.toLowerCase();
  if (NOBODY.has(lower)) return;
  const localPort = LOCAL_PROVIDERS.get(lower);
  if (localPort === undefined) needPreset(found, toolPreset(lower), because);
  else needEndpoint(found, endpointOf("127.0.0.1", localPort), because);
}
