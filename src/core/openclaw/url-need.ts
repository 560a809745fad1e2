/** Every address that a configuration names itself: base URLs, homeservers, API roots, proxies, relays, MCP. */
import { ENDPOINT_SCHEME } from "./endpoint.ts";
import { type Gathering, needUrl } from "./gathering.ts";
import { isObject, isOff, type JsonObject, type JsonValue } from "./json.ts";
import { shownKeys } from "./shown.ts";

/** Keys whose text is where the instance connects to. */
const CONNECTS =
  /^(?:api_?(?:base|root|url)|(?:api_?)?base_?url|cdp_?url|domain|end_?point|homeserver|host_?url|http_?url|incoming_?url|proxy(?:_?url)?|relays?|server_?url|url|ws_?url)$/i;
/** Sections that describe the instance's own face, or are read elsewhere. */
const NOT_OUTWARD = new Set(["$schema", "auth", "env", "gateway", "hooks", "meta", "proxy", "security"]);
/** LIMIT: how deep addresses are looked for. */
const SEARCH_DEPTH_MAX = 24;

/** Notes where every address of the configuration leads; what is switched off is left out. */
export function gatherUrls(found: Gathering, root: JsonObject): void {
  for (const [key, value] of root) if (!NOT_OUTWARD.has(key)) visit(found, value, [key], SEARCH_DEPTH_MAX);
}

function visit(found: Gathering, value: JsonValue, keys: readonly string[], depth: number): void {
  if (depth === 0 || typeof value !== "object" || value === null) return;
  if (!isObject(value)) {
    for (const item of value) visit(found, item, keys, depth - 1);
    return;
  }
  if (isOff(value)) return;
  for (const [key, item] of value) {
    // A key that asks for variables of children (`skills.entries.x.env`) is not the instance's.
    if (key === "env") continue;
    const here = [...keys, key];
    for (const text of CONNECTS.test(key) ? textsOf(item) : []) {
      if (looksLikeAddress(text)) needUrl(found, text, shownKeys(here));
    }
    visit(found, item, here, depth - 1);
  }
}

function textsOf(value: JsonValue): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === "string");
}

/** A URL, or a variable that may hold one; "loopback" and paths are neither. */
function looksLikeAddress(text: string): boolean {
  return ENDPOINT_SCHEME.test(text) || /^\$\{[A-Z_][A-Z0-9_]*\}/.test(text);
}
