/**
 * Names that many share: allowing one allows everybody's account behind it. A name decides who is reached,
 * not whose account there receives what is sent.
 */
import { type Hostname, matchesPattern, type NamePattern } from "../../net/hostname.ts";
import { PRESETS, presetPatterns } from "./preset.ts";

/**
 * How easily data leaves by an allowed name to somebody who is not meant. `open`: no account, a link or token
 * is enough. `account`: an account that anybody can open. `key`: an API that keeps what is sent for whoever
 * owns the key in the request. `narrow`: only what is asked for, or that it was asked, can be seen by others.
 */
export type WayOutGrade = "open" | "account" | "key" | "narrow";

export interface WayOut {
  readonly grade: WayOutGrade;
  /** The name that is graded, as a policy writes it. */
  readonly name: string;
  /** One sentence for a person, without final period. */
  readonly why: string;
}

/** From the widest to the narrowest. */
const GRADES: readonly WayOutGrade[] = ["open", "account", "key", "narrow"];

const DROP = "whatever is sent there can be fetched by anybody who has the link";
const HOSTING = "anybody can run a site of his own under this suffix";
const STORAGE = "anybody can have storage here and be sent data by a signed link";
const TUNNEL = "anybody can have a name here that leads to his own machine";
const CODE = "anybody can have a repository here and be sent data by a push, an issue or a comment";
const MODEL = "a request with somebody else's key leaves its content in that account";

/** Reviewed 2026-11-21. `*.name` stands for every name below it; the apex has a row of its own where it counts. */
const TABLE: readonly (readonly [WayOutGrade, string, readonly string[]])[] = [
  [
    "open",
    "anybody's bot can be addressed: the token in the path decides who reads it",
    ["api.telegram.org"],
  ],
  [
    "open",
    "a webhook link of any server takes messages and files without a login",
    ["discord.com", "discordapp.com", "hooks.slack.com"],
  ],
  [
    "open",
    DROP,
    [
      "0x0.st",
      "bashupload.com",
      "catbox.moe",
      "controlc.com",
      "dpaste.com",
      "dpaste.org",
      "file.io",
      "gofile.io",
      "hastebin.com",
      "ix.io",
      "litterbox.catbox.moe",
      "paste.ee",
      "paste.rs",
      "pastebin.com",
      "rentry.co",
      "sprunge.us",
      "temp.sh",
      "termbin.com",
      "tmpfiles.org",
      "transfer.sh",
      "wetransfer.com",
    ],
  ],
  [
    "open",
    "made to show anybody what was sent to a link of his own",
    [
      "*.beeceptor.com",
      "*.burpcollaborator.net",
      "*.interact.sh",
      "*.m.pipedream.net",
      "*.oast.fun",
      "*.oast.live",
      "*.oast.me",
      "*.oast.online",
      "*.oast.pro",
      "*.oast.site",
      "*.oastify.com",
      "*.requestcatcher.com",
      "ntfy.sh",
      "requestbin.com",
      "webhook.site",
      "*.webhook.site",
    ],
  ],
  [
    "open",
    TUNNEL,
    [
      "*.loca.lt",
      "*.ngrok-free.app",
      "*.ngrok.app",
      "*.ngrok.io",
      "*.serveo.net",
      "*.trycloudflare.com",
      "*.ts.net",
    ],
  ],
  [
    "open",
    "a form or script of anybody takes data without a login",
    ["docs.google.com", "forms.gle", "script.google.com"],
  ],
  [
    "account",
    CODE,
    ["api.github.com", "bitbucket.org", "codeberg.org", "gist.github.com", "github.com", "gitlab.com"],
  ],
  [
    "narrow",
    "holds everybody's files: an attacker can put instructions there, and only counts what is fetched",
    ["*.githubusercontent.com", "codeload.github.com", "files.pythonhosted.org", "pypi.org"],
  ],
  [
    "account",
    HOSTING,
    [
      "*.azurewebsites.net",
      "*.firebaseapp.com",
      "*.firebaseio.com",
      "*.fly.dev",
      "*.github.io",
      "*.gitlab.io",
      "*.herokuapp.com",
      "*.netlify.app",
      "*.on.aws",
      "*.onrender.com",
      "*.pages.dev",
      "*.railway.app",
      "*.replit.app",
      "*.run.app",
      "*.supabase.co",
      "*.vercel.app",
      "*.web.app",
      "*.workers.dev",
    ],
  ],
  [
    "account",
    STORAGE,
    [
      "*.amazonaws.com",
      "*.backblazeb2.com",
      "*.blob.core.windows.net",
      "*.cloudfront.net",
      "*.digitaloceanspaces.com",
      "*.r2.cloudflarestorage.com",
      "*.r2.dev",
      "*.storage.googleapis.com",
      "api.dropboxapi.com",
      "content.dropboxapi.com",
      "storage.googleapis.com",
    ],
  ],
  [
    "account",
    "files and mail of any account can be written with its token",
    [
      "*.sharepoint.com",
      "drive.google.com",
      "gmail.googleapis.com",
      "graph.microsoft.com",
      "www.googleapis.com",
    ],
  ],
  [
    "account",
    "a page of any workspace can be written with its token",
    ["api.airtable.com", "api.notion.com", "api.trello.com"],
  ],
  [
    "account",
    "a message can go to any workspace, room or person whose token or address is given",
    [
      "*.slack.com",
      "*.whatsapp.net",
      "api.botframework.com",
      "api.line.me",
      "api.pushover.net",
      "api.twilio.com",
      "chat.googleapis.com",
      "chat.signal.org",
      "graph.facebook.com",
      "irc-ws.chat.twitch.tv",
      "matrix-client.matrix.org",
      "matrix.org",
      "open.feishu.cn",
      "open.larksuite.com",
      "slack.com",
      "smba.trafficmanager.net",
      "web.whatsapp.com",
    ],
  ],
  ["account", "mail goes to any address", ["api.mailgun.net", "api.sendgrid.com", "smtp.gmail.com"]],
  [
    "account",
    "anybody can publish a package, model, image or skill here with a token of his own",
    [
      "clawhub.ai",
      "ghcr.io",
      "huggingface.co",
      "registry-1.docker.io",
      "registry.npmjs.org",
      "upload.pypi.org",
    ],
  ],
  ["account", "the path names the account that keeps the log", ["gateway.ai.cloudflare.com"]],
  ["account", "fetches any page for whoever asks, so every site is behind this name", ["api.firecrawl.dev"]],
  ["key", MODEL, ["*.openai.azure.com", "*.googleapis.com"]],
];

interface Row {
  readonly out: WayOut;
  readonly pattern: NamePattern;
}

const ROWS: readonly Row[] = [
  ...TABLE.flatMap(([grade, why, names]) =>
    names.map((name) => ({ out: { grade, name, why }, pattern: patternOf(name) })),
  ),
  ...PRESETS.filter(({ kind }) => kind === "provider" || kind === "search" || kind === "speech").flatMap(
    (preset) =>
      (presetPatterns(preset.name) ?? []).map((pattern) => ({
        out: { grade: "key", name: nameOf(pattern), why: MODEL } as const,
        pattern,
      })),
  ),
];

/**
 * Returns the widest way out that a pattern opens, or null when none is known: not known is not "none". An
 * exact name is graded by the row that names it best, a wildcard by everything it covers.
 */
export function exfiltrationGrade(pattern: NamePattern): WayOut | null {
  const found =
    pattern.kind === "exact" ? closestRows(pattern.name) : ROWS.filter((row) => overlaps(row, pattern));
  return GRADES.flatMap((grade) => found.filter(({ out }) => out.grade === grade))[0]?.out ?? null;
}

/** The rows of the name itself, else those of the longest suffix over it. */
function closestRows(name: Hostname): readonly Row[] {
  const exact = ROWS.filter(({ pattern }) => pattern.kind === "exact" && pattern.name === name);
  if (exact.length > 0) return exact;
  const under = ROWS.filter(({ pattern }) => pattern.kind === "below" && matchesPattern(pattern, name));
  const longest = Math.max(0, ...under.map(({ out }) => out.name.length));
  return under.filter(({ out }) => out.name.length === longest);
}

function overlaps({ pattern: row }: Row, pattern: Extract<NamePattern, { kind: "below" }>): boolean {
  if (row.kind === "exact") return matchesPattern(pattern, row.name);
  return (
    row.suffix === pattern.suffix ||
    matchesPattern(pattern, row.suffix) ||
    matchesPattern(row, pattern.suffix)
  );
}

function patternOf(name: string): NamePattern {
  return name.startsWith("*.")
    ? { kind: "below", suffix: name.slice(2) as Hostname }
    : { kind: "exact", name: name as Hostname };
}

function nameOf(pattern: NamePattern): string {
  return pattern.kind === "exact" ? pattern.name : `*.${pattern.suffix}`;
}
