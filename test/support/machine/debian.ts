import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runOk } from "../host/command.ts";

const CACHE = join(import.meta.dirname, "../../../.cache");
const RELEASE = "bookworm";
/** What a rented server has beyond the smallest Debian: a way in, sudo, and what the package depends on. */
const PACKAGES = ["ca-certificates", "iproute2", "netbase", "nftables", "openssh-server", "sudo"];
const DEADLINE_MS = 10 * 60_000;

/**
 * Returns the folder of a Debian 12 as debootstrap makes it (45 s, 60 MB, once), without a package of ours. Nobody
 * writes there: machines lie over it.
 */
export async function debianTree(): Promise<string> {
  const hash = createHash("sha256")
    .update([RELEASE, process.arch, ...PACKAGES].join(" "))
    .digest("hex");
  const tree = join(CACHE, `debian-${hash.slice(0, 16)}`);
  if (existsSync(tree)) return tree;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, "draft-debian-"));
  try {
    const words = ["--variant=minbase", `--include=${PACKAGES.join(",")}`, RELEASE, join(draft, "root")];
    // Its mounts go with it.
    await runOk(["unshare", "--mount", "debootstrap", ...words], { deadlineMs: DEADLINE_MS });
    // INVARIANT: it appears complete, by rename(2).
    if (!existsSync(tree)) renameSync(join(draft, "root"), tree);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return tree;
}
