/**
 * From where webhooks come, where the sender says so. They are hints for an inbound rule, never a replacement
 * for the signature in the request: an address tells which company sends, not for whose bot.
 */

export interface WebhookSender {
  /** The channel or service, as OpenClaw calls it. */
  readonly name: string;
  /** Empty when the sender publishes no addresses. */
  readonly prefixes: readonly string[];
  readonly source: string;
  readonly reviewed: string;
  /** What proves the sender instead of, or beside, the address. */
  readonly proof: string;
}

const REVIEWED = "2026-11-21";

export const WEBHOOK_SENDERS: readonly WebhookSender[] = [
  {
    name: "discord",
    prefixes: [],
    source: "Discord developer documentation, interactions: no addresses are published",
    reviewed: REVIEWED,
    proof: "X-Signature-Ed25519",
  },
  {
    name: "github",
    prefixes: [
      "140.82.112.0/20",
      "143.55.64.0/20",
      "185.199.108.0/22",
      "192.30.252.0/22",
      "2606:50c0::/32",
      "2a0a:a440::/29",
    ],
    source: "https://api.github.com/meta, key `hooks`",
    reviewed: REVIEWED,
    proof: "X-Hub-Signature-256",
  },
  {
    name: "googlechat",
    prefixes: [],
    source: "Google Chat developer documentation: no addresses of its own are published",
    reviewed: REVIEWED,
    proof: "the bearer token's issuer chat@system.gserviceaccount.com",
  },
  {
    name: "line",
    prefixes: [],
    source: "LINE Messaging API reference: addresses are not published, on purpose",
    reviewed: REVIEWED,
    proof: "x-line-signature",
  },
  {
    name: "msteams",
    prefixes: [],
    source: "Microsoft, service tag AzureBotService: changes weekly, so none is carried here",
    reviewed: REVIEWED,
    proof: "the bearer token's issuer https://api.botframework.com",
  },
  {
    name: "slack",
    prefixes: [],
    source: "Slack documentation, verifying requests: addresses change and are not published",
    reviewed: REVIEWED,
    proof: "X-Slack-Signature",
  },
  {
    name: "sms",
    prefixes: [],
    source: "Twilio documentation, webhooks: addresses change and are not published",
    reviewed: REVIEWED,
    proof: "X-Twilio-Signature",
  },
  {
    name: "telegram",
    prefixes: ["91.108.4.0/22", "149.154.160.0/20"],
    source: "https://core.telegram.org/bots/webhooks",
    reviewed: REVIEWED,
    proof: "X-Telegram-Bot-Api-Secret-Token",
  },
];

const BY_NAME: ReadonlyMap<string, WebhookSender> = new Map(
  WEBHOOK_SENDERS.map((sender) => [sender.name, sender]),
);

/** Returns what is known of who sends the webhooks of a channel, or undefined. */
export function webhookSender(name: string): WebhookSender | undefined {
  return BY_NAME.get(name);
}
