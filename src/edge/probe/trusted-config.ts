/** Whether root may give a configuration to its program: nginx loads modules that the file names, as whoever asks. */
import { writableBy } from "../host/writable-by.ts";
import { namesIn, readText } from "./file.ts";

/** LIMIT: files of one configuration. */
const FILES_MAX = 500;

/**
 * Returns why a file, one that it includes, or a module that it loads may have been written by somebody else than
 * root; null when none.
 */
export function untrustedConfig(path: string): string | null {
  const queue = [path];
  const seen = new Set<string>();
  while (queue.length > 0 && seen.size < FILES_MAX) {
    const next = queue.shift() ?? "";
    if (seen.has(next)) continue;
    seen.add(next);
    const problem = writableBy(next, new Set([0]));
    if (problem !== null) return problem;
    const content = readText(next, { follow: true });
    if (content.kind !== "text") continue;
    for (const match of content.text.matchAll(/(?:^|[\s;{}])(include|load_module)\s+["']?([^\s;"']+)/g)) {
      const base = match[1] === "include" ? "/etc/nginx" : "/usr/share/nginx";
      queue.push(...expand(match[2] ?? "", base));
    }
  }
  return seen.size < FILES_MAX ? null : `${path} includes more than ${FILES_MAX} files`;
}

/** The folder too: whoever may write there may add a file that is included. */
function expand(pattern: string, base: string): string[] {
  const path = pattern.startsWith("/") ? pattern : `${base}/${pattern}`;
  const [folder, last] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
  if (!/[*?[]/.test(path)) return namesIn(folder).includes(last) ? [path] : [];
  if (/[*?[]/.test(folder)) return ["/nonexistent"];
  return namesIn(folder).length === 0 ? [] : [folder, ...namesIn(folder).map((name) => `${folder}/${name}`)];
}
