import { unreachable } from "../../base/assert.ts";
import type { Span } from "../../base/diagnostic.ts";
import type { NamePatternProblem } from "../../net/name-pattern.ts";
import { shown } from "./node.ts";
import { fail, type Walk } from "./walk.ts";

/** Reports why a text is no name, with what to write instead. */
export function nameProblem(
  walk: Walk,
  text: string,
  span: Span,
  problem: NamePatternProblem,
  instead: string | null,
): void {
  const said = wording(problem, text, instead);
  fail(walk, said.code, span, `${shown(text)} ${said.message}`, said.help);
}

function wording(
  problem: NamePatternProblem,
  text: string,
  instead: string | null,
): { code: string; message: string; help: string | null } {
  switch (problem) {
    case "unicode":
      return {
        code: "unicode-name",
        message: "is not in ASCII; look-alike letters would be hard to see",
        help: instead === null ? "write the name in ASCII" : `write its A-label: \`${instead}\``,
      };
    case "public-suffix":
      return {
        code: "public-suffix",
        message: "is a public suffix, under which anyone can register, not a host",
        help: "name the host",
      };
    case "single-label":
      return { code: "single-label", message: "has one label; a name needs a dot", help: null };
    case "wildcard":
      return {
        code: "wildcard",
        message: "has a `*` where none can stand",
        help: "a `*` stands in front, for whole labels: `*.example.com`",
      };
    case "address":
    case "address-spelling":
      return {
        code: "address",
        message: "would be read as an address",
        help: text.startsWith("*")
          ? "addresses have no wildcards; write a prefix"
          : "write the address strictly",
      };
    case "character":
      return {
        code: "name",
        message: "is not a name",
        help: /\s/.test(text) ? "names hold no spaces" : "a name holds letters, digits, `-`, `_` and dots",
      };
    case "empty":
      return { code: "name", message: "is empty", help: "name a host" };
    case "empty-label":
      return { code: "name", message: "has an empty label", help: "remove the extra dot" };
    case "hyphen":
      return { code: "name", message: "has a label that begins or ends with `-`", help: null };
    case "label-too-long":
      return { code: "name", message: "has a label of more than 63 characters", help: null };
    case "name-too-long":
      return { code: "name", message: "is longer than 253 characters", help: null };
    default:
      return unreachable(problem);
  }
}
