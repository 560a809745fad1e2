import { CST } from "yaml";
import type { Diagnostic } from "../../base/diagnostic.ts";
import { shown } from "./node.ts";
import { type LineTable, spanOf } from "./position.ts";

const FLOW_DEPTH_MAX = 32;
const INDICATORS_PER_LINE_MAX = 32;
const INDENT_COLUMNS_MAX = 200;
/** After so many the file is not meant as a policy, and the reader would slow down. */
const COMPLAINTS_MAX = 100;

/** A `[`, `{` or quote that opens at an offset. */
export interface Opening {
  readonly at: number;
  readonly mark: string;
}

/** What reading the tokens has found so far. `stopped`: a limit was hit, the rest is not read. */
export interface TokenScan {
  readonly table: LineTable;
  readonly diagnostics: Diagnostic[];
  readonly reportedAt: [number, number][];
  /** Brackets that are open now, and quotes that never close. */
  readonly open: Opening[];
  readonly openQuotes: Opening[];
  stopped: boolean;
  offset: number;
  indicatorsInLine: number;
  atLineStart: boolean;
  scalarNext: boolean;
}

export function startScan(table: LineTable): TokenScan {
  return {
    table,
    diagnostics: [],
    reportedAt: [],
    open: [],
    openQuotes: [],
    stopped: false,
    offset: 0,
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
    case "double-quoted-scalar":
    case "single-quoted-scalar":
      if (!isClosed(lexeme)) scan.openQuotes.push({ at: scan.offset, mark: lexeme.charAt(0) });
      return undefined;
    default:
      return undefined;
  }
}

function isClosed(lexeme: string): boolean {
  const mark = lexeme.charAt(0);
  if (lexeme.length < 2 || !lexeme.endsWith(mark)) return false;
  const tail = mark === '"' ? /\\*"$/ : /'+$/;
  const run = tail.exec(lexeme.slice(1))?.[0].length ?? 0;
  // An even number of backslashes before `"`, or an odd number of `'`, ends the scalar.
  return run % 2 === 1;
}

function aliasMessage(lexeme: string): string {
  return isWildcard(lexeme)
    ? `${shown(lexeme)} is not in quotes, and YAML reads a leading \`*\` as an alias`
    : `${shown(lexeme)} is a YAML alias, and aliases are not part of the policy language`;
}

function aliasHelp(lexeme: string): string {
  return isWildcard(lexeme)
    ? `put it in quotes: ${shown(`"${lexeme}"`)}`
    : `write the value out; if it is text, put it in quotes: ${shown(`"${lexeme}"`)}`;
}

function isWildcard(lexeme: string): boolean {
  return /^\*\*?(?:\.|$)/.test(lexeme);
}

function complain(scan: TokenScan, lexeme: string, code: string, message: string, help: string): void {
  const end = scan.offset + lexeme.length;
  if (scan.diagnostics.length >= COMPLAINTS_MAX) scan.stopped = true;
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
  const inFlow = scan.open.length > 0;
  if (type === "flow-map-start" || type === "flow-seq-start") {
    scan.open.push({ at: scan.offset, mark: lexeme });
  } else if (type === "flow-map-end" || type === "flow-seq-end") {
    scan.open.pop();
  } else if (!inFlow && (type === "seq-item-ind" || type === "explicit-key-ind")) {
    scan.indicatorsInLine += 1;
  }
  const indent = scan.atLineStart && type === "space" && !inFlow ? lexeme.length : 0;
  const tooDeep =
    scan.open.length > FLOW_DEPTH_MAX ||
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
