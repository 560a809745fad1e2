import { CST } from "yaml";
import type { Diagnostic } from "../../base/diagnostic.ts";
import { shown } from "./node.ts";
import { type LineTable, spanOf } from "./position.ts";

const FLOW_DEPTH_MAX = 32;
const INDICATORS_PER_LINE_MAX = 32;
const INDENT_COLUMNS_MAX = 200;

/** What reading the tokens has found so far. `stopped`: a limit was hit, the rest is not read. */
export interface TokenScan {
  readonly table: LineTable;
  readonly diagnostics: Diagnostic[];
  readonly reportedAt: [number, number][];
  stopped: boolean;
  offset: number;
  flowDepth: number;
  indicatorsInLine: number;
  atLineStart: boolean;
  scalarNext: boolean;
}

export function startScan(table: LineTable): TokenScan {
  return {
    table,
    diagnostics: [],
    reportedAt: [],
    stopped: false,
    offset: 0,
    flowDepth: 0,
    indicatorsInLine: 0,
    atLineStart: true,
    scalarNext: false,
  };
}

/**
 * Takes the next lexeme: reports what the policy language leaves out of YAML, and stops at nesting that
 * could exhaust the stack of the composer.
 */
export function scanToken(scan: TokenScan, lexeme: string): void {
  const type = scan.scalarNext ? "scalar" : CST.tokenType(lexeme);
  scan.scalarNext = type === "scalar" && lexeme === CST.SCALAR;
  if (scan.scalarNext || type === "doc-mode" || type === "flow-error-end") return;
  if (type === "byte-order-mark") scan.stopped = true;
  judge(scan, type, lexeme);
  checkDepth(scan, type, lexeme);
  if (type === "newline") scan.indicatorsInLine = 0;
  scan.atLineStart = type === "newline";
  scan.offset += lexeme.length;
}

function judge(scan: TokenScan, type: string | null, lexeme: string): void {
  switch (type) {
    case "alias":
      return complain(scan, lexeme, "policy/alias", aliasMessage(lexeme), aliasHelp(lexeme));
    case "anchor":
      return complain(
        scan,
        lexeme,
        "policy/anchor",
        `${shown(lexeme)} is a YAML anchor, and anchors are not part of the policy language`,
        "write the value out, or put it in quotes if it is text",
      );
    case "tag":
      return complain(
        scan,
        lexeme,
        "policy/tag",
        `${shown(lexeme)} is a YAML tag, and tags are not part of the policy language`,
        "remove it, or put the value in quotes if it is text",
      );
    case "directive-line":
      return complain(
        scan,
        lexeme,
        "policy/directive",
        `${shown(lexeme)} is a YAML directive, and directives are not part of the policy language`,
        "remove the line; a policy is always YAML 1.2",
      );
    default:
      return undefined;
  }
}

function aliasMessage(lexeme: string): string {
  return /^\*\*?(?:\.|$)/.test(lexeme)
    ? `${shown(lexeme)} is not in quotes, and YAML reads a leading \`*\` as an alias`
    : `${shown(lexeme)} is a YAML alias, and aliases are not part of the policy language`;
}

function aliasHelp(lexeme: string): string {
  return `if it is a name, put it in quotes: \`${JSON.stringify(lexeme).slice(0, 80)}\``;
}

function complain(scan: TokenScan, lexeme: string, code: string, message: string, help: string): void {
  const end = scan.offset + lexeme.length;
  scan.reportedAt.push([scan.offset, end]);
  scan.diagnostics.push({
    code,
    severity: "error",
    message,
    help,
    span: spanOf(scan.table, scan.offset, end),
  });
}

function checkDepth(scan: TokenScan, type: string | null, lexeme: string): void {
  if (type === "flow-map-start" || type === "flow-seq-start") scan.flowDepth += 1;
  if (type === "flow-map-end" || type === "flow-seq-end") scan.flowDepth = Math.max(0, scan.flowDepth - 1);
  if (scan.flowDepth === 0 && (type === "seq-item-ind" || type === "explicit-key-ind")) {
    scan.indicatorsInLine += 1;
  }
  const indent = scan.atLineStart && type === "space" && scan.flowDepth === 0 ? lexeme.length : 0;
  const tooDeep =
    scan.flowDepth > FLOW_DEPTH_MAX ||
    scan.indicatorsInLine > INDICATORS_PER_LINE_MAX ||
    indent > INDENT_COLUMNS_MAX;
  if (!tooDeep) return;
  scan.stopped = true;
  complain(
    scan,
    lexeme,
    "policy/too-deep",
    "the file nests deeper than any policy does",
    "a policy needs no more than five levels; check the brackets and the indentation",
  );
}
