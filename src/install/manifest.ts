/** What an installation made, so that an uninstallation removes exactly that. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { SeawallError } from "../core/base/error.ts";
import { LIBRARY } from "./payload.ts";

export const MANIFEST_PATH = `${LIBRARY}/manifest.json`;

const PATH = z
  .string()
  .regex(/^\/(usr|etc|var)\/[^\0]*$/)
  .refine((path) => !path.split("/").includes(".."));
const MANIFEST = z.strictObject({
  schema: z.literal("seawall/install-v1"),
  version: z.string(),
  /** In order of path. */
  files: z.array(z.strictObject({ path: PATH, sha256: z.string().regex(/^[0-9a-f]{64}$/), mode: z.int() })),
  /** Symbolic links: what enables a unit. */
  links: z.array(z.strictObject({ path: PATH, target: z.string() })),
  /** Folders that were not there before, outermost first. */
  folders: z.array(PATH),
});
export type Manifest = z.infer<typeof MANIFEST>;

/** Returns the manifest below `root`, or null when `seawall install` never ran there. Refuses a broken one. */
export function readManifest(root: string): Manifest | null {
  let text: string;
  try {
    text = readFileSync(join(root, MANIFEST_PATH), "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw broken(cause);
  }
  try {
    return MANIFEST.parse(JSON.parse(text));
  } catch (cause) {
    throw broken(cause);
  }
}

/** Returns the manifest as it is written. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

function broken(cause: unknown): SeawallError {
  return new SeawallError("SEAWALL_INSTALL", `\`${MANIFEST_PATH}\` cannot be read`, {
    still: "nothing was changed",
    help: `from a checkout: rm ${MANIFEST_PATH}, then sudo ./seawall install`,
    cause,
  });
}
