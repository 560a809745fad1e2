/** Which channels a configuration uses, what they reach, and by which webhooks they are reached. */
import { channelKind, type ChannelKind } from "./catalogue.ts";
import { ENDPOINT_SCHEME, endpointOf } from "./endpoint.ts";
import { type Gathering, needEndpoint, needListener, needPreset } from "./gathering.ts";
import { at, isObject, isOff, type JsonObject, type JsonValue, objectAt, textAt } from "./json.ts";
import { shownKeys, shownWord } from "./shown.ts";

/** Settings of all channels, not a channel. */
const NO_CHANNEL = new Set(["defaults", "modelByChannel"]);
const SIGNAL_PORT = 8080;
const IRC_TLS_PORT = 6697;
const IRC_PORT = 6667;
const IMAP_PORT = 993;

/** Notes every channel that is not switched off. URLs are noted by `url-need.ts`. */
export function gatherChannels(found: Gathering, root: JsonObject): void {
  for (const [id, channel] of objectAt(root, "channels")) {
    if (NO_CHANNEL.has(id) || !isObject(channel) || isOff(channel)) continue;
    const kind = channelKind(id);
    const because = shownKeys(["channels", id]);
    const accounts = [...objectAt(channel, "accounts").values()].filter((account) => !isOff(account));
    const settings: readonly JsonValue[] = [channel, ...accounts];
    if (kind === undefined) {
      if (!settings.some(namesServer))
        found.open.add(`channel \`${shownWord(id)}\` is not known: say what it reaches`);
      continue;
    }
    gatherHome(found, kind, settings, because);
    gatherWebhooks(found, id.toLowerCase(), kind, settings, because);
    gatherServers(found, id.toLowerCase(), settings, because);
  }
}

/** Whether a channel's own settings hold a URL, which `url-need.ts` then notes. */
function namesServer(settings: JsonValue): boolean {
  return (
    isObject(settings) &&
    [...settings.values()].some((value) => typeof value === "string" && ENDPOINT_SCHEME.test(value))
  );
}

function gatherHome(
  found: Gathering,
  kind: ChannelKind,
  settings: readonly JsonValue[],
  because: string,
): void {
  // Telegram's `apiRoot` replaces the home, where the channel has it for every account.
  if (kind.preset === null || textAt(settings[0], "apiRoot") !== null) return;
  needPreset(found, kind.preset, because);
}

function gatherWebhooks(
  found: Gathering,
  id: string,
  kind: ChannelKind,
  settings: readonly JsonValue[],
  because: string,
): void {
  const { webhookWhen, webhookPort } = kind;
  if (webhookWhen === "never") return;
  for (const setting of settings) {
    if (webhookWhen !== "always") {
      const value = textAt(setting, webhookWhen.key);
      if (value === null || (webhookWhen.value !== null && value !== webhookWhen.value)) continue;
    }
    const given = at(setting, "webhookPort") ?? at(setting, "webhook", "port");
    const port =
      typeof given === "number" && Number.isInteger(given) && given > 0 && given < 65_536
        ? given
        : webhookPort;
    needListener(found, id, port, because);
  }
}

/** Channels whose server stands in other keys than a URL. */
function gatherServers(found: Gathering, id: string, settings: readonly JsonValue[], because: string): void {
  for (const setting of settings) {
    if (id === "signal" && (setting === settings[0] || at(setting, "transport") !== undefined)) {
      gatherSignal(found, setting, because);
    }
    const ircPort = at(setting, "tls") === false ? IRC_PORT : IRC_TLS_PORT;
    if (id === "irc") gatherHost(found, setting, ircPort, because);
  }
}

/**
 * signal-cli: a daemon elsewhere, or one that the gateway starts, which then reaches Signal as the agent. Its
 * keys stand in `transport`; earlier versions had them in the channel itself.
 */
function gatherSignal(found: Gathering, setting: JsonValue, because: string): void {
  const transport = at(setting, "transport") ?? setting;
  const kind = textAt(transport, "kind");
  const isElsewhere =
    kind === "external-native" || kind === "container" || at(transport, "autoStart") === false;
  if (!isElsewhere) needPreset(found, "signal", because);
  const isNamed = ["url", "httpUrl", "socketPath"].some((key) => textAt(transport, key) !== null);
  if (isNamed) return;
  const host = textAt(transport, "httpHost") ?? "127.0.0.1";
  const port = at(transport, "httpPort");
  needEndpoint(found, endpointOf(host, typeof port === "number" ? port : SIGNAL_PORT), because);
}

/** Notes the mail accounts of the plugin `imap` (IMAP over TLS unless they name a port). */
export function gatherMail(found: Gathering, root: JsonObject): void {
  const plugin = at(root, "plugins", "entries", "imap");
  if (isOff(plugin)) return;
  for (const [id, account] of objectAt(plugin, "config", "accounts")) {
    gatherHost(found, account, IMAP_PORT, shownKeys(["plugins", "entries", "imap", id]));
  }
}

function gatherHost(found: Gathering, setting: JsonValue, usualPort: number, because: string): void {
  const host = textAt(setting, "host");
  if (host === null) return;
  const port = at(setting, "port");
  needEndpoint(found, endpointOf(host, typeof port === "number" ? port : usualPort), `${because}.host`);
}
