import { below, type Preset, seen } from "./entry.ts";

/**
 * Where people talk to the agent. Channels whose server the operator chooses (Matrix, IRC, Mattermost, mail,
 * Nostr) have no preset: the configuration names the host.
 */
export const CHANNEL_PRESETS: readonly Preset[] = [
  {
    name: "discord",
    kind: "channel",
    about: "Discord: messages, events and attachments; voice is not part of it",
    entries: [
      seen(
        "npm @openclaw/discord 2026.9.6",
        "cdn.discordapp.com",
        "discord.com",
        "gateway.discord.gg",
        "media.discordapp.net",
      ),
      below(
        "npm @openclaw/discord 2026.9.6",
        "a dropped connection resumes at gateway-REGION.discord.gg, named by Discord at run time",
        "*.discord.gg",
      ),
    ],
  },
  {
    name: "feishu",
    kind: "channel",
    about: "Feishu and Lark",
    entries: [
      seen("OpenClaw 2026.9.6, docs/channels/feishu.md", "open.feishu.cn", "open.larksuite.com"),
      seen("Feishu's event socket; not seen in OpenClaw's own sources", "msg-frontier.feishu.cn"),
    ],
  },
  {
    name: "googlechat",
    kind: "channel",
    about: "Google Chat",
    entries: [
      seen(
        "OpenClaw 2026.9.6, docs/channels/googlechat.md",
        "chat.googleapis.com",
        "oauth2.googleapis.com",
        "www.googleapis.com",
      ),
    ],
  },
  {
    name: "line",
    kind: "channel",
    about: "LINE",
    entries: [seen("LINE Messaging API reference", "api-data.line.me", "api.line.me")],
  },
  {
    name: "matrix-org",
    kind: "channel",
    about: "the homeserver matrix.org; any other one is a rule of its own",
    entries: [
      seen("npm @openclaw/matrix; matrix.org's client discovery", "matrix-client.matrix.org", "matrix.org"),
    ],
  },
  {
    name: "msteams",
    kind: "channel",
    about: "Microsoft Teams: messages; files need your tenant's own SharePoint host beside it",
    entries: [
      seen(
        "npm @openclaw/msteams 2026.9.5",
        "api.botframework.com",
        "graph.microsoft.com",
        "login.microsoftonline.com",
        "smba.trafficmanager.net",
      ),
    ],
  },
  {
    name: "signal",
    kind: "channel",
    about: "Signal, for a signal-cli that runs in the agent's scope",
    entries: [
      seen(
        "hosts of signal-cli's service configuration; not seen in OpenClaw, which talks to signal-cli",
        "cdn.signal.org",
        "cdn2.signal.org",
        "cdn3.signal.org",
        "chat.signal.org",
        "storage.signal.org",
      ),
    ],
  },
  {
    name: "slack",
    kind: "channel",
    about: "Slack",
    entries: [
      seen("OpenClaw 2026.9.6, docs/channels/slack/transports.md", "slack.com"),
      below(
        "OpenClaw 2026.9.6, docs/channels/slack/transports.md",
        "Slack names the socket (wss-primary, wss-backup and others) and the file host at run time",
        "*.slack.com",
      ),
    ],
  },
  {
    name: "sms",
    kind: "channel",
    about: "text messages by Twilio",
    entries: [seen("OpenClaw 2026.9.6, docs/channels/sms.md", "api.twilio.com")],
  },
  {
    name: "telegram",
    kind: "channel",
    about: "Telegram's Bot API",
    entries: [
      seen("Telegram Bot API documentation; OpenClaw 2026.9.6, extensions/telegram", "api.telegram.org"),
    ],
  },
  {
    name: "twitch",
    kind: "channel",
    about: "Twitch chat",
    entries: [
      seen(
        "Twitch developer documentation; not seen in OpenClaw's own sources",
        "api.twitch.tv",
        "id.twitch.tv",
        "irc-ws.chat.twitch.tv",
      ),
    ],
  },
  {
    name: "whatsapp",
    kind: "channel",
    about: "WhatsApp Web",
    entries: [
      seen("npm @openclaw/whatsapp 2026.9.6 (Baileys)", "web.whatsapp.com"),
      below(
        "npm @openclaw/whatsapp 2026.9.6 (Baileys MEDIA_HOST_SUFFIX)",
        "each upload and download is sent to a media host that WhatsApp names at run time",
        "*.whatsapp.net",
      ),
    ],
  },
];
