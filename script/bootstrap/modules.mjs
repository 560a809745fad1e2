import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Failure, say } from "./failure.mjs";
import { withLock } from "./lock.mjs";

const STAMP = "node_modules/.seawall-stamp";
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";
const INSTALL_LIMIT_MS = 15 * 60_000;

/** Installs node_modules from package-lock.json when it is missing or made from another lockfile. */
export async function ensureModules(root) {
  refuseOtherPlatforms();
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (isInstalled(root, wanted)) return;
  assertWritable(root);
  await withLock(join(root, ".cache/bootstrap.lock"), () => {
    if (isInstalled(root, wanted)) return;
    say("installing npm packages into node_modules: about 400 MB, of which Node 24 is 189 MB");
    install(root);
    writeFileSync(join(root, STAMP), wanted);
  });
}

/** Returns the absolute path of a Node 24: the one in node_modules, else the running one. */
export function findNode(root) {
  const bundled = join(root, `node_modules/node-linux-${process.arch}/bin/node`);
  if (existsSync(bundled)) return bundled;
  if (isRecent(process.versions.node)) return process.execPath;
  throw new Failure(
    "Node 24 was not installed with the npm packages",
    "npm ci --ignore-scripts --include=optional",
  );
}

/** Refuses a folder that cannot be written, before half of the work is done. */
export function assertWritable(root) {
  try {
    accessSync(root, constants.W_OK);
  } catch (error) {
    const why = error.code === "EROFS" ? "is on a read-only file system" : "is not writable for this user";
    throw new Failure(`${root} ${why} and is not prepared yet`, `cp -r ${root} ~/seawall && cd ~/seawall`);
  }
}

function refuseOtherPlatforms() {
  if (process.platform === "linux" && ["x64", "arm64"].includes(process.arch)) return;
  throw new Failure(
    `Seawall runs on Linux on x64 or arm64; this is ${process.platform} on ${process.arch}`,
    "use a Linux machine, a virtual machine or WSL 2",
  );
}

function isRecent(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

function isInstalled(root, wanted) {
  const stamp = join(root, STAMP);
  try {
    if (readFileSync(stamp, "utf8") === wanted) return true;
  } catch {
    // No stamp: node_modules is missing, or npm was run by hand.
  }
  if (!isSameAsLockfile(root)) return false;
  try {
    writeFileSync(stamp, wanted);
  } catch {
    // A read-only checkout that is complete needs no stamp.
  }
  return true;
}

/** True when npm's own record of what it installed has every package this lockfile asks for. */
function isSameAsLockfile(root) {
  const hidden = join(root, "node_modules/.package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    if (installed[path]) return installed[path].integrity === entry.integrity;
    return entry.optional === true;
  });
}

function install(root) {
  const flags = ["--ignore-scripts", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const network = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];
  const result = spawnSync(
    findNpm(),
    ["ci", ...flags, ...network, "--no-update-notifier", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      timeout: INSTALL_LIMIT_MS,
      env: { ...process.env, PATH: process.env.PATH || DEFAULT_PATH },
    },
  );
  if (result.status !== 0) throw explain(`${result.stderr ?? ""}\n${result.error?.code ?? ""}`);
}

function findNpm() {
  const folders = [...(process.env.PATH || DEFAULT_PATH).split(delimiter), dirname(process.execPath)];
  const npm = folders.map((folder) => join(folder, "npm")).find((file) => existsSync(file));
  if (npm) return npm;
  throw new Failure("npm is not installed; it is needed once, to fetch the packages", "apt-get install npm");
}

/** What npm's error output means, as one message and one command. */
const NPM_FAILURES = [
  {
    match:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/,
    message: "the npm registry cannot be reached (no network, or a proxy is needed)",
    help: "npm ping   (then run this again)",
  },
  {
    match: /\bE40[0-9]\b|\bE5\d\d\b|ETARGET|ENOVERSIONS/,
    message: "the npm registry refused a package",
    help: "npm config get registry   (then `npm config set registry URL` if a mirror is in the way)",
  },
  {
    match: /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET)|CERT_/,
    message: "the npm registry's certificate is not trusted here",
    help: "npm config set cafile /path/to/ca.pem",
  },
  {
    match: /EINTEGRITY/,
    message: "a package is not the one in package-lock.json",
    help: "npm cache clean --force",
  },
  {
    match: /EUSAGE/,
    message: "package.json and package-lock.json disagree",
    help: "git checkout package-lock.json",
  },
  { match: /ENOSPC/, message: "the disk is full; npm packages need 400 MB", help: "df -h ." },
  { match: /EROFS|EACCES|EPERM/, message: "npm may not write here", help: "ls -ld . node_modules ~/.npm" },
];

function explain(output) {
  const known = NPM_FAILURES.find(({ match }) => match.test(output));
  const detail = output.split("\n").find((line) => /^npm (error|ERR!) \S+ \S+/.test(line)) ?? "";
  const tail = detail === "" ? "" : `: ${detail.replace(/^npm (error|ERR!) /, "").slice(0, 200)}`;
  if (known) return new Failure(known.message + tail, known.help);
  return new Failure(`\`npm ci\` failed${tail}`, "npm ci --ignore-scripts");
}
