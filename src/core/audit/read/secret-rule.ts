/** Which texts are secrets. A hit names the rule; nothing here ever returns the secret. */

export interface SecretRule {
  readonly name: string;
  readonly pattern: RegExp;
}

/** Formats as the providers document them, and as gitleaks' rules (MIT) have them where those agree. */
export const SECRET_RULES: readonly SecretRule[] = [
  { name: "Anthropic API key", pattern: /\bsk-ant-(?:api|admin|oat)?[A-Za-z0-9_-]{20,}/ },
  { name: "OpenRouter API key", pattern: /\bsk-or-v1-[a-f0-9]{32,}/ },
  { name: "OpenAI API key", pattern: /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}/ },
  { name: "Groq API key", pattern: /\bgsk_[A-Za-z0-9]{32,}/ },
  { name: "xAI API key", pattern: /\bxai-[A-Za-z0-9]{32,}/ },
  { name: "Google API key", pattern: /\bAIza[0-9A-Za-z_-]{35}\b/ },
  { name: "Hugging Face token", pattern: /\bhf_[A-Za-z0-9]{30,}/ },
  { name: "Perplexity API key", pattern: /\bpplx-[A-Za-z0-9]{40,}/ },
  { name: "Telegram bot token", pattern: /\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}\b/ },
  { name: "Slack token", pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/ },
  { name: "Slack app token", pattern: /\bxapp-[0-9]-[A-Z0-9]{8,}-[0-9]{8,}-[a-f0-9]{32,}/ },
  { name: "Discord bot token", pattern: /\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}/ },
  { name: "GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})/ },
  { name: "GitLab token", pattern: /\bglpat-[A-Za-z0-9_-]{20,}/ },
  { name: "AWS access key", pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/ },
  { name: "Tailscale key", pattern: /\btskey-[a-z]+-[A-Za-z0-9]{6,}-[A-Za-z0-9]{20,}/ },
  { name: "Vault token", pattern: /\bhvs\.[A-Za-z0-9_-]{24,}/ },
  { name: "Stripe key", pattern: /\b[rs]k_live_[A-Za-z0-9]{20,}/ },
  { name: "Notion token", pattern: /\b(?:ntn_|secret_)[A-Za-z0-9]{40,}/ },
  { name: "npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { name: "private key", pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/ },
];

/** Names of settings and variables whose value is a secret, whatever it looks like. */
const SECRET_NAME =
  /(?:^|[_.-])(?:api[_-]?key|apikey|secret|token|password|passwd|auth[_-]?token|bot[_-]?token|private[_-]?key|access[_-]?key)$/i;
const CAMEL_NAME = /(?:apiKey|[Tt]oken|[Pp]assword|[Ss]ecret|privateKey)$/;
/** Shorter values and such words are no secrets: `changeme`, `none`, numbers. */
const SECRET_CHARS_MIN = 12;
/** LIMIT: characters of a line that are looked at. */
const LINE_CHARS_MAX = 4096;

/** Whether a value points to a secret instead of being one: `${NAME}`, `$NAME`, `env:NAME`. */
export function isReference(value: string): boolean {
  return /^\$\{?[A-Za-z_][A-Za-z0-9_]*\}?$/.test(value) || /^(?:env|file|exec|store|vault|op):/.test(value);
}

/** Returns the name of the rule that `text` matches, or null. */
export function secretIn(text: string): string | null {
  const line = text.length > LINE_CHARS_MAX ? text.slice(0, LINE_CHARS_MAX) : text;
  return SECRET_RULES.find(({ pattern }) => pattern.test(line))?.name ?? null;
}

/** Returns what a setting `name: value` holds, or null: by its format, else by its name. */
export function secretOfSetting(name: string, value: string): string | null {
  if (value === "" || isReference(value)) return null;
  const byFormat = secretIn(value);
  if (byFormat !== null) return byFormat;
  const named = SECRET_NAME.test(name) || CAMEL_NAME.test(name);
  return named &&
    value.length >= SECRET_CHARS_MIN &&
    !isPlaceholder(value) &&
    !/^\d+$/.test(value) &&
    !value.startsWith("/")
    ? "a secret by its name"
    : null;
}

/** Returns the hits of a text, line by line: the number from 1, and the rule. LIMIT: HITS_MAX. */
export function secretsInText(text: string): { readonly line: number; readonly rule: string }[] {
  const hits: { readonly line: number; readonly rule: string }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (hits.length >= HITS_MAX) break;
    const rule = secretIn(line) ?? assignment(line);
    if (rule !== null) hits.push({ line: index + 1, rule });
  }
  return hits;
}

const HITS_MAX = 50;

/** `export NAME=value`, `NAME: value`, `--token value`. */
function assignment(line: string): string | null {
  const match =
    /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]{2,60})\s*[=:]\s*["']?([^\s"'#]{12,200})["']?\s*,?\s*$/.exec(
      line.slice(0, LINE_CHARS_MAX),
    );
  const [, name, value] = match ?? [];
  return name === undefined || value === undefined ? null : secretOfSetting(name, value);
}

const PLACEHOLDER =
  /^(?:x{3,}|\*+|<.*>|your[-_ ].*|change[-_ ]?me.*|example.*|placeholder.*|replace[-_ ]?me.*|dummy.*|test|none|null|undefined|secret|password|redacted.*)$/i;

function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}

/** Returns why a token is weak in spite of its length, or null. 128 bits need 32 hexadecimal digits (RFC 4086). */
export function weaknessOf(token: string): string | null {
  if (isPlaceholder(token) || /^(password|hunter2|letmein|qwerty|123456|your-long)/i.test(token))
    return "is a word that everybody tries";
  const distinct = new Set(token).size;
  if (distinct < 8) return `has only ${distinct} different characters`;
  if (/^(.{1,12})\1+$/.test(token)) return "repeats itself";
  return null;
}
