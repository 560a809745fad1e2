/** A place in a policy file. Line and column start at 1; length counts UTF-16 units on that line. */
export interface Span {
  /** The drop-in it is in, as `policy.d/NAME`; absent in the main file. */
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export type Severity = "error" | "warning" | "notice";

/**
 * One thing to say about a policy, as data. `message` is lower-case without a final period, with what the
 * user wrote in backticks; advice lives in `help`.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly help: string | null;
  readonly span: Span;
}

/** The place of a problem of the whole file. */
export const FILE_START: Span = { line: 1, column: 1, length: 1 };

/** Orders places: the main file first, then drop-ins by name, each from its beginning. */
export function comparePlaces(left: Span, right: Span): number {
  const [leftFile, rightFile] = [left.file ?? "", right.file ?? ""];
  if (leftFile !== rightFile) return leftFile < rightFile ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}

export function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}
