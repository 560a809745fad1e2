// Reads the imports of TypeScript sources as text: enough for one code style, and it cannot be fooled by a
// tool that silently sees no files, because the caller compares what it found with what it planted.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** Path from the repository's root (with `/`) to the text of that file. */
export type Sources = ReadonlyMap<string, string>;

/** `to` is a path from the repository's root, or the name of a package or of a `node:` module. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

const NOT_OURS = /^(node_modules|\.git|\.cache|dist|\.dist-.*)$/;
const STATEMENT = /^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
const CALL = /\b(?:import|require)\(\s*["']([^"']+)["']\s*\)/g;

/** Returns every file of the checkout that is not installed or built. */
export function readTree(root: string, folder = ""): Sources {
  const sources = new Map<string, string>();
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (NOT_OURS.test(entry.name) || entry.name.endsWith(".log")) continue;
    if (entry.isDirectory()) for (const [name, text] of readTree(root, path)) sources.set(name, text);
    if (entry.isFile()) sources.set(path, readFileSync(join(root, path), "utf8"));
  }
  return sources;
}

/** Returns what each TypeScript file imports: statically, for types, and by `import()` or `require()`. */
export function importsOf(sources: Sources): readonly Import[] {
  const imports: Import[] = [];
  for (const [from, text] of sources) {
    if (!from.endsWith(".ts")) continue;
    for (const match of [...text.matchAll(STATEMENT), ...text.matchAll(CALL)]) {
      const to = match[1] ?? "";
      imports.push({ from, to: to.startsWith(".") ? posix.join(posix.dirname(from), to) : to });
    }
  }
  return imports;
}

/** Returns each import cycle once, as the files in order. */
export function cyclesOf(imports: readonly Import[]): readonly (readonly string[])[] {
  const next = Map.groupBy(imports, (edge) => edge.from);
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) cycles.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const edge of next.get(file) ?? []) visit(edge.to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return cycles;
}
