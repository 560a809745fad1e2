/** The names a policy declares, known before its rules are read. */
export interface Names {
  readonly sets: ReadonlySet<string>;
  readonly zones: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
  /** Null: presets are not checked. */
  readonly presets: ReadonlySet<string> | null;
}
