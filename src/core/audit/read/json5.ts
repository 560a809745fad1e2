/**
 * JSON5 (json5.org), the language of OpenClaw's configuration: comments, trailing commas, bare keys, single quotes,
 * hexadecimal numbers, Infinity. Every value that JSON.parse reads comes out the same.
 */
import type { ConfigValue } from "../fact/openclaw.ts";

export type Json5Parse =
  | { readonly ok: true; readonly value: ConfigValue }
  /** `line` from 1. */
  | { readonly ok: false; readonly line: number; readonly problem: string };

/** LIMIT: characters of a document, and objects inside objects. */
const TEXT_MAX = 8 * 1024 * 1024;
const DEPTH_MAX = 200;

class Json5Problem extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Returns the value of a document, or where it cannot be read and why. Never throws. */
export function parseJson5(text: string): Json5Parse {
  if (text.length > TEXT_MAX) return { ok: false, line: 1, problem: "it is too long" };
  const reader = new Reader(text);
  try {
    const value = reader.value(0);
    reader.blank();
    if (reader.at < reader.text.length) throw new Json5Problem(reader.at, "there is more text after its end");
    return { ok: true, value };
  } catch (cause) {
    if (!(cause instanceof Json5Problem)) throw cause;
    return { ok: false, line: reader.text.slice(0, cause.at).split("\n").length, problem: cause.message };
  }
}

class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  value(depth: number): ConfigValue {
    if (depth > DEPTH_MAX) throw new Json5Problem(this.at, "it is nested too deeply");
    this.blank();
    const sign = this.text[this.at];
    if (sign === "{") return this.object(depth);
    if (sign === "[") return this.array(depth);
    if (sign === '"' || sign === "'") return this.string(sign);
    return this.word();
  }

  /** White space, `// ...` and block comments. */
  blank(): void {
    for (;;) {
      const match = BLANK.exec(this.rest());
      if (match === null || match[0] === "") return;
      this.at += match[0].length;
    }
  }

  private rest(): string {
    return this.text.slice(this.at, this.at + WINDOW);
  }

  private object(depth: number): ConfigValue {
    const members: [string, ConfigValue][] = [];
    this.at += 1;
    for (;;) {
      this.blank();
      if (this.take("}")) return Object.fromEntries(members);
      const key = this.key();
      this.blank();
      if (!this.take(":")) throw new Json5Problem(this.at, "a `:` is missing after a key");
      members.push([key, this.value(depth + 1)]);
      this.separator("}");
    }
  }

  private array(depth: number): ConfigValue {
    const items: ConfigValue[] = [];
    this.at += 1;
    for (;;) {
      this.blank();
      if (this.take("]")) return items;
      items.push(this.value(depth + 1));
      this.separator("]");
    }
  }

  private separator(end: "}" | "]"): void {
    this.blank();
    if (!this.take(",") && this.text[this.at] !== end)
      throw new Json5Problem(this.at, `a \`,\` or \`${end}\` is missing`);
  }

  private take(sign: string): boolean {
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  private key(): string {
    const sign = this.text[this.at];
    if (sign === '"' || sign === "'") return this.string(sign);
    const name = /^[\p{L}$_][\p{L}\p{N}$_\u200c\u200d]*/u.exec(this.rest())?.[0];
    if (name === undefined) throw new Json5Problem(this.at, "a key is missing");
    this.at += name.length;
    return name;
  }

  private string(quote: string): string {
    const start = this.at;
    let out = "";
    this.at += 1;
    for (;;) {
      const sign = this.text[this.at];
      if (sign === undefined || sign === "\n") throw new Json5Problem(start, "a text does not end");
      this.at += 1;
      if (sign === quote) return out;
      out += sign === "\\" ? this.escape() : sign;
    }
  }

  private escape(): string {
    const sign = this.text[this.at] ?? "";
    this.at += 1;
    if (sign === "\n") return "";
    if (sign === "\r") {
      this.take("\n");
      return "";
    }
    const digits = sign === "x" ? 2 : sign === "u" ? 4 : 0;
    if (digits === 0) return ESCAPES[sign] ?? sign;
    const hex = this.text.slice(this.at, this.at + digits);
    if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex))
      throw new Json5Problem(this.at, "an escape is not complete");
    this.at += digits;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  /** SECURITY: what stands there is not repeated: the file may not be what it claims to be. */
  private word(): ConfigValue {
    const word = /^[^\s,:{}[\]"'/]+/.exec(this.rest())?.[0] ?? "";
    const named = WORDS[word];
    const value = named === undefined ? numberOf(word) : named;
    if (value === undefined) throw new Json5Problem(this.at, "a value is missing");
    this.at += word.length;
    return value;
  }
}

/** LIMIT: a single comment, key or number is looked for in so many characters. */
const WINDOW = 64 * 1024;
const BLANK = /^(?:[\s\ufeff]+|\/\/[^\n]*|\/\*[^]*?\*\/)*/;
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "0": "\0",
};
const WORDS: Readonly<Record<string, ConfigValue>> = { true: true, false: false, null: null };

function numberOf(word: string): number | undefined {
  const bare = word.replace(/^[+-]/, "");
  const sign = word.startsWith("-") ? -1 : 1;
  if (/^0[xX][0-9a-fA-F]+$/.test(bare)) return sign * Number(bare);
  if (/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(bare)) return sign * Number(bare);
  if (bare === "Infinity") return sign * Number.POSITIVE_INFINITY;
  return bare === "NaN" ? Number.NaN : undefined;
}
