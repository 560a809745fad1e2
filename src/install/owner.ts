/** Who installed the Seawall of this machine. Two installers of the same files would undo each other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import { LIBRARY } from "./payload.ts";

/** Where dpkg lists the files of an installed package. */
const DPKG_LIST = "/var/lib/dpkg/info/seawall.list";

/** Refuses when the Debian package has the files. */
export function refuseDebianPackage(root: string, help: string): void {
  if (!isListed(root)) return;
  throw new SeawallError("SEAWALL_INSTALL", "the Debian package `seawall` is installed on this machine", {
    still: "nothing was changed",
    help,
  });
}

/** A package that was removed but not purged keeps its list, without the files. */
function isListed(root: string): boolean {
  try {
    return readFileSync(join(root, DPKG_LIST), "utf8").split("\n").includes(`${LIBRARY}/node`);
  } catch {
    return false;
  }
}
