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
const SMTP_PORT = 587;

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
    if (id === "signal" && setting === settings[0]) gatherSignal(found, setting, because);
    if (id === "irc")
      gatherHost(
        found,
        setting,
        ["host"],
        ["port"],
        at(setting, "tls") === false ? IRC_PORT : IRC_TLS_PORT,
        because,
      );
    if (id !== "imap") continue;
    for (const block of ["imap", "smtp"]) {
      gatherHost(
        found,
        setting,
        [block, "host"],
        [block, "port"],
        block === "imap" ? IMAP_PORT : SMTP_PORT,
        because,
      );
    }
    gatherHost(found, setting, ["host"], ["port"], IMAP_PORT, because);
  }
}

/** signal-cli: a daemon elsewhere, or one that the gateway starts, which then reaches Signal as the agent. */
function gatherSignal(found: Gathering, setting: JsonValue | undefined, because: string): void {
  if (textAt(setting, "httpUrl") === null) {
    const host = textAt(setting, "httpHost") ?? "127.0.0.1";
    const port = at(setting, "httpPort");
    needEndpoint(found, endpointOf(host, typeof port === "number" ? port : SIGNAL_PORT), because);
    if (at(setting, "autoStart") !== false) needPreset(found, "signal", because);
  } else if (at(setting, "autoStart") === true) needPreset(found, "signal", because);
}

function gatherHost(
  found: Gathering,
  setting: JsonValue,
  hostKeys: readonly string[],
  portKeys: readonly string[],
  usualPort: number,
  because: string,
): void {
  const host = textAt(setting, ...hostKeys);
  if (host === null) return;
  const port = at(setting, ...portKeys);
  needEndpoint(
    found,
    endpointOf(host, typeof port === "number" ? port : usualPort),
    `${because}.${hostKeys.join(".")}`,
  );
}
