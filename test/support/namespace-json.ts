import { outputInNamespace } from "./namespace.ts";

/** Runs a script in a network namespace of its own and returns the JSON on the last line that it prints. */
export async function jsonFromNamespace(script: URL, parameters: readonly string[] = []): Promise<unknown> {
  const output = await outputInNamespace(script, parameters);
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
}
