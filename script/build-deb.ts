// Builds the Debian package: `npm run deb [FOLDER]`. The same sources make the same bytes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { VERSION } from "../src/core/base/version.ts";
import { FOLDER_MODE, makeFolders, placeFile } from "../src/install/place.ts";
import { readInstallTree, type TreeFile } from "../src/install/tree.ts";

const ROOT = join(import.meta.dirname, "..");
const SCRIPTS = join(ROOT, "share/debian");
/** What dpkg calls Node's names of processors. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Every file has this time: when the sources were made is nobody's business, and would change the bytes. */
const EPOCH_S = Number(process.env["SOURCE_DATE_EPOCH"] ?? 1_767_225_600);
const BUILD_LIMIT_MS = 5 * 60_000;

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? ROOT);
  console.log(buildDeb(folder));
}

/** Builds the package for this machine's processor into `folder` and returns its path. Packing takes 20 s. */
export function buildDeb(folder: string, packing: "xz" | "none" = "xz"): string {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there is no Debian package for ${process.arch}`);
  const tree = readInstallTree(ROOT);
  const stage = mkdtempSync(join(tmpdir(), "seawall-deb-"));
  chmodSync(stage, FOLDER_MODE);
  try {
    for (const file of tree) {
      makeFolders(stage, dirname(file.path));
      placeFile(join(stage, file.path), file);
    }
    writeControl(stage, tree, architecture);
    sameTimes(stage);
    mkdirSync(folder, { recursive: true });
    const to = join(folder, `seawall_${VERSION}_${architecture}.deb`);
    pack(stage, to, packing);
    return to;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function writeControl(stage: string, tree: readonly TreeFile[], architecture: string): void {
  const control = join(stage, "DEBIAN");
  mkdirSync(control);
  chmodSync(control, FOLDER_MODE);
  const size = tree.reduce((sum, { path }) => sum + Math.ceil(statSync(join(stage, path)).size / 1024), 0);
  writeControlFile(control, "control", controlText(architecture, size));
  for (const name of readdirSync(SCRIPTS).sort()) {
    placeFile(join(control, name), { mode: 0o755, content: { from: join(SCRIPTS, name) } });
  }
  const sums = tree.map(({ path }) => {
    const sum = createHash("md5")
      .update(readFileSync(join(stage, path)))
      .digest("hex");
    return `${sum}  ${path.slice(1)}\n`;
  });
  writeControlFile(control, "md5sums", sums.join(""));
}

function writeControlFile(control: string, name: string, text: string): void {
  writeFileSync(join(control, name), text);
  chmodSync(join(control, name), 0o644);
}

function controlText(architecture: string, installedKib: number): string {
  return `Package: seawall
Version: ${VERSION}
Architecture: ${architecture}
Maintainer: Seawall contributors <seawall@localhost>
Installed-Size: ${installedKib}
Depends: nftables, iproute2, netbase, passwd, libc6 (>= 2.28), libgcc-s1, libstdc++6
Section: admin
Priority: optional
Description: network firewall for self-hosted OpenClaw agents
 Who may reach the agent, and what the agent may reach, from one small file,
 enforced by the kernel next to UFW and Docker. A change that is not confirmed
 from a new SSH connection is undone by the kernel itself.
`;
}

function sameTimes(path: string): void {
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) sameTimes(join(path, name));
  utimesSync(path, EPOCH_S, EPOCH_S);
}

/** dpkg-deb sorts by name itself; one thread, because several cut the archive where they happen to be. */
function pack(stage: string, to: string, packing: "xz" | "none"): void {
  const how = packing === "xz" ? ["-Zxz", "-z1", "--threads-max=1"] : ["-Znone"];
  const words = ["--root-owner-group", ...how, "--build", stage, to];
  const { status, stderr, error } = spawnSync("dpkg-deb", words, {
    encoding: "utf8",
    timeout: BUILD_LIMIT_MS,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH_S) },
  });
  if (status !== 0) throw new Error(`dpkg-deb: ${stderr ?? ""}${error?.message ?? ""}`);
}
