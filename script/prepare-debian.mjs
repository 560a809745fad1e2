// Installs the Debian or Ubuntu packages that `npm start` (start) and `npm test` (test) need.
// Plain JavaScript for Node 18 and later: it runs before anything of this package was built.
//
//   node script/prepare-debian.mjs start|test
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const COMMAND_DIRECTORIES = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
const LOCK_WAIT_SECONDS = 60;
const LOCK_RETRY_SECONDS = 2;
const APT_DEADLINE_MS = 15 * 60 * 1000;
const POLICY = "/usr/sbin/policy-rc.d";

/** Command that must exist, the package that brings it, and the first purpose that needs it. */
const NEEDS = [
  { command: "nft", package: "nftables", purpose: "start" },
  { command: "ip", package: "iproute2", purpose: "start" },
  { command: "ufw", package: "ufw", purpose: "test" },
  { command: "iptables", package: "iptables", purpose: "test" },
  { command: "dockerd", package: "docker.io", purpose: "test" },
  { command: "sshd", package: "openssh-server", purpose: "test" },
  { command: "ssh", package: "openssh-client", purpose: "test" },
  { command: "busybox", package: "busybox-static", purpose: "test", static: true },
  { command: "conntrack", package: "conntrack", purpose: "test" },
  { command: "nc", package: "netcat-openbsd", purpose: "test" },
  { command: "tmux", package: "tmux", purpose: "test" },
  { command: "mosh-server", package: "mosh", purpose: "test" },
  { command: "screen", package: "screen", purpose: "test" },
  { command: "dropbear", package: "dropbear-bin", purpose: "test" },
  { command: "sudo", package: "sudo", purpose: "test" },
  { command: "curl", package: "curl", purpose: "test" },
  { command: "openssl", package: "openssl", purpose: "test" },
  // Run by a test in a namespace; nothing here needs it as the first process.
  { file: "/lib/systemd/systemd", package: "systemd", purpose: "test" },
  { command: "systemd-analyze", package: "systemd", purpose: "test" },
  { command: "git", package: "git", purpose: "test" },
  // A Debian of its own, in which the package is installed as a stranger would.
  { command: "debootstrap", package: "debootstrap", purpose: "test" },
  {
    file: "/usr/share/keyrings/debian-archive-keyring.gpg",
    package: "debian-archive-keyring",
    purpose: "test",
  },
  { command: "fail2ban-client", package: "fail2ban", purpose: "test" },
  // Fail2Ban reads the journal through it; it brings no program.
  { file: "/usr/lib/python3/dist-packages/systemd/journal.py", package: "python3-systemd", purpose: "test" },
  { command: "caddy", package: "caddy", purpose: "test" },
  { command: "nginx", package: "nginx-light", purpose: "test" },
  { command: "zsh", package: "zsh", purpose: "test" },
  { command: "fish", package: "fish", purpose: "test" },
  { command: "man", package: "man-db", purpose: "test" },
  { command: "groff", package: "groff-base", purpose: "test" },
  { command: "unattended-upgrade", package: "unattended-upgrades", purpose: "test" },
];

/** Unit files these packages bring. What was not on the machine before is disabled after the installation. */
const UNITS = [
  "ssh.service",
  "ssh.socket",
  "docker.service",
  "docker.socket",
  "containerd.service",
  "ufw.service",
  "fail2ban.service",
  "caddy.service",
  "nginx.service",
  "unattended-upgrades.service",
];

/**
 * Installs what is missing for `purpose` ("start" or "test") and starts no service, now or at the next boot.
 * Returns `{ok: true, installed}` or `{ok: false, exitCode, message, command}`: what happened, and the one
 * command that helps. `say` receives progress lines (stderr by default). Prints nothing when all is there.
 */
export function prepareDebian(purpose, say = (line) => process.stderr.write(`${line}\n`)) {
  const missing = missingPackages(purpose);
  if (missing.length === 0) return { ok: true, installed: [] };
  const refusal = refuseToTry(purpose, missing);
  if (refusal) return refusal;
  let plan = planInstallation(missing, say);
  if (!plan.ok) {
    say("Reading the package lists (apt-get update) ...");
    const update = apt(["update", "-q"], say);
    plan = planInstallation(missing, say);
    if (!plan.ok)
      return explain(update.code === 0 ? `${update.text}\n${plan.text}` : update.text, purpose, missing);
  }
  say(`Installing from this machine's package archive: ${plan.packages.join(" ")}`);
  say(`  ${plan.size} No service is started, now or at the next boot.`);
  const result = installQuietly(missing, say);
  if (result.code !== 0) return explain(result.text, purpose, missing);
  const still = missingPackages(purpose);
  if (still.length > 0)
    return explain(`apt-get succeeded but still missing: ${still.join(" ")}`, purpose, still);
  return { ok: true, installed: missing };
}

/** Packages that `purpose` needs and this machine lacks, found by their commands: docker-ce counts as docker.io. */
export function missingPackages(purpose) {
  const wanted = NEEDS.filter((need) => need.purpose === "start" || purpose === "test");
  return [...new Set(wanted.filter((need) => !isThere(need)).map((need) => need.package))];
}

function isThere(need) {
  if (need.file) return existsSync(need.file);
  return COMMAND_DIRECTORIES.some((directory) => {
    const path = `${directory}/${need.command}`;
    try {
      accessSync(path, constants.X_OK);
      // A container image made of one file needs one that loads no library.
      return statSync(path).isFile() && (!need.static || !readFileSync(path).includes("/lib64/ld-linux"));
    } catch {
      return false;
    }
  });
}

function refuseToTry(purpose, missing) {
  if (!existsSync("/usr/bin/apt-get")) {
    const message = `This needs ${missing.join(", ")} (Debian package names) and this machine has no apt-get.`;
    return { ok: false, exitCode: 2, message, command: "install them with this system's package manager" };
  }
  if (process.getuid?.() !== 0) {
    const message = `Installing ${missing.join(", ")} needs root.`;
    return { ok: false, exitCode: 5, message, command: `sudo ${thisCommand(purpose)}` };
  }
  return undefined;
}

/** What apt would do, without doing it. `text` holds apt's words when it cannot. */
function planInstallation(missing, say) {
  const run = apt(["install", "--no-install-recommends", "--assume-no", ...missing], say);
  const need = /^Need to get ([^/\n]+?)(?:\/\S+ \S+)? of archives/m.exec(run.text);
  const disk = /^After this operation, (.+) of additional disk space/m.exec(run.text);
  if (!need) return { ok: false, text: run.text };
  const size = `Download ${need[1]}, ${disk ? disk[1] : "no more"} on disk.`;
  return { ok: true, packages: newPackages(run.text), size, text: run.text };
}

function newPackages(text) {
  const block = /The following NEW packages will be installed:\n((?: .*\n)+)/.exec(text);
  return block ? block[1].trim().split(/\s+/) : [];
}

/**
 * Runs apt-get install in a mount namespace of its own in which `policy-rc.d` answers "start nothing", so that
 * even kill -9 in the middle leaves the machine's own policy in force. New units are disabled for the next boot.
 */
function installQuietly(missing, say) {
  const unitsBefore = UNITS.filter(unitExists);
  const madeTarget = !existsSync(POLICY);
  // Not executable: invoke-rc.d and deb-systemd-invoke read that as "no policy".
  if (madeTarget) writeFileSync(POLICY, "", { mode: 0o644 });
  try {
    return apt(["install", "-y", "-q", "--no-install-recommends", ...missing], say, INSIDE_PRIVATE_POLICY);
  } finally {
    if (madeTarget) rmSync(POLICY, { force: true });
    disable(UNITS.filter((unit) => unitExists(unit) && !unitsBefore.includes(unit)));
  }
}

const INSIDE_PRIVATE_POLICY = [
  "unshare",
  "--mount",
  "--propagation",
  "private",
  "sh",
  "-euc",
  `d=$(mktemp -d); mount -t tmpfs -o mode=755 tmpfs "$d"
printf '#!/bin/sh\\nexit 101\\n' >"$d/policy-rc.d"; chmod 755 "$d/policy-rc.d"
mount --bind "$d/policy-rc.d" ${POLICY}; umount -l "$d"; rmdir "$d"; exec "$@"`,
  "sh",
];

function unitExists(unit) {
  return ["/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"].some((directory) =>
    existsSync(`${directory}/${unit}`),
  );
}

function disable(units) {
  if (units.length === 0 || !existsSync("/usr/bin/systemctl")) return;
  spawnSync("systemctl", ["disable", "--quiet", ...units], { stdio: "ignore", timeout: 60_000 });
}

/** apt-get with a bounded wait for a lock that another program holds. */
function apt(args, say, prefix = []) {
  for (let waited = 0; ; waited += LOCK_RETRY_SECONDS) {
    const run = spawnApt(args, prefix);
    const holder = lockHolder(run.text);
    if (run.code === 0 || !holder || waited >= LOCK_WAIT_SECONDS) return run;
    if (waited === 0)
      say(`Another program (${holder.name}) is installing; waiting up to ${LOCK_WAIT_SECONDS} s.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_RETRY_SECONDS * 1000);
  }
}

function spawnApt(args, prefix = []) {
  const [file, ...rest] = [...prefix, "apt-get", ...args];
  const environment = {
    ...process.env,
    LC_ALL: "C",
    DEBIAN_FRONTEND: "noninteractive",
    NEEDRESTART_SUSPEND: "1",
    NEEDRESTART_MODE: "l",
  };
  const options = [
    "-o",
    "Acquire::Retries=1",
    "-o",
    "Acquire::http::Timeout=20",
    "-o",
    "Acquire::https::Timeout=20",
  ];
  const keep = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];
  const run = spawnSync(file, [...rest, ...options, ...keep], {
    encoding: "utf8",
    env: environment,
    timeout: APT_DEADLINE_MS,
    maxBuffer: 32 * 1024 * 1024,
  });
  const text = `${run.stdout ?? ""}\n${run.stderr ?? ""}\n${run.error ? run.error.message : ""}`;
  return { code: run.status ?? 1, text };
}

function lockHolder(text) {
  const held = /Could not get lock (\S+?)\.? +It is held by process (\d+)(?: \(([^)]*)\))?/.exec(text);
  if (held) return { pid: held[2], name: held[3] ? `${held[3]}, process ${held[2]}` : `process ${held[2]}` };
  return /Unable to (?:lock|acquire the dpkg frontend lock)/.test(text)
    ? { pid: undefined, name: "unknown" }
    : undefined;
}

const NETWORK =
  /Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|Cannot initiate the connection|Network is unreachable|Connection (?:timed out|refused|failed)|No route to host/;

function explain(text, purpose, missing) {
  const again = thisCommand(purpose);
  const holder = lockHolder(text);
  if (holder) {
    const wait = holder.pid === undefined ? "" : `tail --pid=${holder.pid} -f /dev/null && `;
    const message = `The package database is in use by ${holder.name}. Nothing was installed.`;
    return { ok: false, exitCode: 2, message, command: `${wait}${again}` };
  }
  if (NETWORK.test(text)) {
    const message = `The package archive cannot be reached, and ${missing.join(", ")} must be installed.`;
    return { ok: false, exitCode: 2, message, command: `apt-get update && ${again}` };
  }
  const lines = text.split("\n").filter((line) => /^E: |still missing|ETIMEDOUT|unshare:|mount:/.test(line));
  const message = `apt-get could not install ${missing.join(", ")}. ${lines.slice(0, 3).join(" ")}`.trim();
  return {
    ok: false,
    exitCode: 2,
    message,
    command: `apt-get install --no-install-recommends ${missing.join(" ")}`,
  };
}

function thisCommand(purpose) {
  return `${process.execPath} ${fileURLToPath(import.meta.url)} ${purpose}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const purpose = process.argv[2];
  if (purpose !== "start" && purpose !== "test") {
    process.stderr.write("usage: node script/prepare-debian.mjs start|test\n");
    process.exitCode = 2;
  } else {
    const result = prepareDebian(purpose);
    if (!result.ok) process.stderr.write(`${result.message}\nRun: ${result.command}\n`);
    process.exitCode = result.ok ? 0 : result.exitCode;
  }
}
