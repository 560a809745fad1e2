/**
 * What a stranger may read of this machine: words that are ours stay, everything else becomes a token, the same for
 * the same input. What is not known to be harmless is taken for private, so a secret needs no pattern to be held back.
 */
import { createHmac } from "node:crypto";
import { secretOfSetting, SECRET_RULES } from "../audit/read/secret-rule.ts";
import { isPublicIp } from "../net/address-class.ts";
import { isLoopback, parseIp } from "../net/ip.ts";
import { isOurWord, TEXT_KEYS } from "./vocabulary.ts";

export interface Redactor {
  /** A text of ours in English, like a line of the log: plain words stay unless they are private here. */
  readonly prose: (text: string) => string;
  /** A text of which only our own words and numbers stay; what is quoted goes. */
  readonly strict: (text: string) => string;
  /** A value of JSON; its texts by `by`. What keys like `why` hold is only counted. */
  readonly value: (value: unknown, by: "prose" | "strict") => unknown;
}

export interface RedactorOptions {
  /** Makes tokens that nobody can guess the input of. */
  readonly key: Uint8Array;
  /** Words that name somebody or something here: accounts, hosts, rules, scopes. */
  readonly privateWords: readonly string[];
}

const TOKEN_CHARS = 8;

/** Returns a redactor. Two of the same key give the same tokens. */
export function createRedactor({ key, privateWords }: RedactorOptions): Redactor {
  const hidden = new Set(privateWords.map((word) => word.toLowerCase()));
  const token = (kind: string, input: string): string => {
    const digest = createHmac("sha256", key).update(input.toLowerCase()).digest("hex");
    return `${kind}-${digest.slice(0, TOKEN_CHARS)}`;
  };
  const address = (text: string): string | null => {
    const ip = parseIp(text);
    if (ip === undefined) return null;
    if (isLoopback(ip) || ip.value === 0 || ip.value === 0n) return text;
    return token(`${isPublicIp(ip) ? "public" : "private"}${ip.family}`, text);
  };
  const word = (chunk: string, isPlain: (part: string) => boolean): string => {
    const found = address(chunk);
    if (found !== null) return found;
    const isHidden = [chunk, ...chunk.split(/[._-]/)].some((part) => hidden.has(part.toLowerCase()));
    return !isHidden && isPlain(chunk) ? chunk : hiddenPart(chunk, isOurWord, token);
  };
  const prose = (text: string): string => replaceWords(text, (chunk) => word(chunk, isPlainWord));
  const strict = (text: string): string =>
    replaceWords(text.replaceAll(QUOTED, quotedToken(token)), (chunk) => word(chunk, isOurWord));
  const value = (found: unknown, by: "prose" | "strict"): unknown => {
    const text = by === "prose" ? prose : strict;
    if (typeof found === "string") return text(found);
    if (Array.isArray(found)) return found.map((one) => value(one, by));
    if (typeof found !== "object" || found === null) return found;
    return Object.fromEntries(
      Object.entries(found).map(([name, one]) => [
        by === "prose" ? name : strict(name),
        TEXT_KEYS.has(name) && typeof one === "string" ? `(${one.length} characters)` : value(one, by),
      ]),
    );
  };
  return { prose, strict, value };
}

/** Moments and IPv6 addresses, else runs of what words and names are made of; what stands between is punctuation. */
const CHUNK =
  /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(?:Z|[+-]\d\d:?\d\d)?|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*|[\p{L}\p{N}_.*~-]+/gu;
/** What nft quotes: names of objects after `name` and `set`, else texts. */
const QUOTED = /(\b(?:name|set) )?"([^"\n]*)"/g;
/** The comment that says which policy a generation is. */
const SEAL = /^policy \d{1,9} (?:observe|enforce) (?:observe|enforce) sha256 [0-9a-f]{64}$/;

function replaceWords(text: string, replace: (chunk: string) => string): string {
  return text.replaceAll(CHUNK, (chunk) => {
    const end = /[.~*-]+$/.exec(chunk)?.[0] ?? "";
    const core = chunk.slice(0, chunk.length - end.length);
    return core === "" ? chunk : `${replace(core)}${end}`;
  });
}

function quotedToken(
  token: (kind: string, input: string) => string,
): (whole: string, keyword: string | undefined, inside: string) => string {
  return (whole, keyword, inside) => {
    if (keyword !== undefined || inside === "") return whole;
    return SEAL.test(inside) ? whole.replace(/ sha256 [0-9a-f]{64}/, "") : `"${token("text", inside)}"`;
  };
}

/** Keeps the parts at the beginning that are ours: `count_` of `count_my-rule`. */
function hiddenPart(
  chunk: string,
  isOurs: (part: string) => boolean,
  token: (kind: string, input: string) => string,
): string {
  const kind = /\.[a-z]{2,}$/i.test(chunk) ? "name" : "text";
  const first = /^([a-z0-9]+)_(.+)$/s.exec(chunk);
  const [, head, rest] = first ?? [];
  if (head !== undefined && rest !== undefined && isOurs(head)) return `${head}_${token(kind, rest)}`;
  return token(kind, chunk);
}

/** A word of a language, or a small number; no name with dots, nothing that mixes letters and digits. */
function isPlainWord(chunk: string): boolean {
  if (isOurWord(chunk)) return true;
  return (
    chunk.length <= 32 &&
    chunk.split(/[-_]/).every((part) => /^(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,12})$/.test(part))
  );
}

/**
 * The last look at a text before anybody gets it: what has the format of a secret, and the secrets of this environment,
 * go in every case.
 */
export function withoutSecrets(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const values = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && secretOfSetting(name, value) !== null ? [value] : [],
  );
  const known = values.reduce((rest, value) => rest.replaceAll(value, REMOVED), text);
  return SECRET_RULES.reduce(
    (rest, { pattern }) => rest.replaceAll(new RegExp(pattern.source, `${pattern.flags}g`), REMOVED),
    known,
  );
}

const REMOVED = "(secret removed)";
