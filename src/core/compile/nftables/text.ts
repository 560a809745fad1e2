/**
 * The only way from text to nft. A fragment is made by the `nft` template, which takes fragments and integers,
 * and by the few functions below that check what they are given.
 * SECURITY: nothing a user or a peer wrote reaches nft in any other way.
 */
import type { Branded } from "../../base/brand.ts";
import { assert } from "../../base/assert.ts";

export type Nft = Branded<string, "Nft">;

/** Returns the fragment; values are other fragments, lists of them (joined by `, `) or integers. */
export function nft(
  strings: TemplateStringsArray,
  ...values: readonly (Nft | number | readonly Nft[])[]
): Nft {
  let text = strings[0] ?? "";
  for (const [at, value] of values.entries()) {
    if (typeof value === "number") {
      assert(Number.isSafeInteger(value), "only integers reach nft");
      text += String(value);
    } else {
      text += typeof value === "string" ? value : value.join(", ");
    }
    text += strings[at + 1] ?? "";
  }
  return text as Nft;
}

/** LIMIT: NFT_NAME_MAXLEN of the kernel is 256 with the final NUL. */
export const NAME_MAX_CHARS = 128;

/** Returns a name of a chain, set, map or counter. Ids and scopes of a policy fit (they are checked there). */
export function name(text: string): Nft {
  assert(
    /^[a-zA-Z][a-zA-Z0-9_./-]*$/.test(text) && text.length <= NAME_MAX_CHARS,
    `not an nft name: ${text}`,
  );
  return text as Nft;
}

/** Returns `"text"` for interface names and log prefixes. nft has no escape inside quotes, so those are refused. */
export function quoted(text: string): Nft {
  assert(/^[a-zA-Z0-9 ._:@*/-]{1,127}$/.test(text), `cannot be quoted for nft: ${JSON.stringify(text)}`);
  return `"${text}"` as Nft;
}

/** Returns `"path"` of a cgroup: longer than a name, and with the backslash that systemd escapes with. */
export function quotedPath(text: string): Nft {
  assert(/^[A-Za-z0-9_.:@/\\-]{1,1024}$/.test(text), `cannot be quoted for nft: ${JSON.stringify(text)}`);
  return `"${text}"` as Nft;
}

/** LIMIT: NFTNL_UDATA_COMMENT_MAXLEN is 128 bytes with the final NUL. */
export const COMMENT_MAX_BYTES = 127;

/** Returns `comment "..."`. Comments are for people: what nft cannot carry is replaced, what is too long is cut. */
export function comment(text: string): Nft {
  const plain = text.replaceAll('"', "'").replaceAll(/[^\x20-\x7e]/g, "?");
  const cut = plain.length > COMMENT_MAX_BYTES ? `${plain.slice(0, COMMENT_MAX_BYTES - 3)}...` : plain;
  return `comment "${cut}"` as Nft;
}

/** Returns a 32-bit mark as nft prints it. */
export function hex32(value: number): Nft {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}` as Nft;
}
