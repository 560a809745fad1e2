import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Returns the path of an empty directory that goes with the test. */
export function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "seawall-test-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
