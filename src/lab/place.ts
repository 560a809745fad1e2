import { fileURLToPath } from "node:url";

/** The sources run as they are (Node strips the types), the package from dist. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Returns the file of a module by its path from src/lab without extension, here or in dist. */
export function moduleFile(path: string): string {
  return fileURLToPath(new URL(`${path}${EXTENSION}`, import.meta.url));
}
