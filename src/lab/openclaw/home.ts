/** What the agent's user sees of the machine: an OpenClaw and a Node it may read, a home, a resolver, a name. */
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { SeawallError } from "../../core/base/error.ts";
import { runSync } from "../../edge/host/command.ts";
import { AGENT_UID, RESOLVER } from "../address.ts";

const ROOT = "/run/lab/openclaw";
const HOME = "/run/lab/agent";
const CONFIGURATION = `${HOME}/.openclaw/openclaw.json`;
const RESOLV_CONF = "/etc/resolv.conf";
const TMP_BYTES_MAX = "256m";

export const NODE = `${ROOT}/bin/node`;
export const OPENCLAW = `${ROOT}/node_modules/openclaw/openclaw.mjs`;
/** The root that signs the web of the lab, for who is told to trust it. */
export const ROOT_CERTIFICATE = `${ROOT}/root.pem`;

/**
 * Makes all of it, inside the world. A checkout or a Node below /root is closed to the agent and is not opened for
 * the lab: the agent gets a view, which ends with the world.
 */
export function makeHome(modules: string, rootCertificate: string): void {
  for (const folder of [`${ROOT}/node_modules`, `${ROOT}/bin`])
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(NODE, "");
  mount("--bind", modules, `${ROOT}/node_modules`);
  mount("-o", "remount,ro,bind", `${ROOT}/node_modules`);
  mount("--bind", process.execPath, NODE);
  writeFileSync(ROOT_CERTIFICATE, rootCertificate);
  const account = `agent:x:${AGENT_UID}:${AGENT_UID}:agent of the lab:${HOME}:/bin/sh`;
  writeFileSync(`${ROOT}/passwd`, `${readFileSync("/etc/passwd", "utf8").trimEnd()}\n${account}\n`);
  writeFileSync(`${ROOT}/resolv.conf`, `nameserver ${RESOLVER}\n`);
  for (const folder of [HOME, `${HOME}/.openclaw`]) {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, AGENT_UID, AGENT_UID);
  }
}

/** Writes OpenClaw's configuration, as its user would. */
export function writeConfiguration(configuration: object): void {
  writeFileSync(CONFIGURATION, JSON.stringify(configuration, null, 2), { mode: 0o600 });
  chownSync(CONFIGURATION, AGENT_UID, AGENT_UID);
}

/** Writes a script that the agent may read, and returns its path. */
export function writeScript(number: number, script: string): string {
  const file = `${ROOT}/script-${number}`;
  writeFileSync(file, script);
  return file;
}

/** Returns the program and arguments that run `words` as the agent: its user, environment, /tmp, resolver and name. */
export function asAgent(words: readonly string[]): readonly [program: string, ...args: string[]] {
  const variables = [
    `HOME=${HOME}`,
    "USER=agent",
    "LOGNAME=agent",
    `PATH=${ROOT}/bin:/usr/local/bin:/usr/bin:/bin`,
    "LC_ALL=C.UTF-8",
    `NODE_EXTRA_CA_CERTS=${ROOT_CERTIFICATE}`,
    // Without this it starts itself a second time and the first one is what a signal reaches.
    "OPENCLAW_NO_RESPAWN=1",
  ];
  // OpenClaw keeps locks and logs in /tmp. All of these replace themselves: the process is OpenClaw's own in the end.
  const own = [
    `mount -t tmpfs -o mode=1777,size=${TMP_BYTES_MAX} tmpfs /tmp`,
    `mount --bind ${ROOT}/passwd /etc/passwd`,
    placeResolver(),
    // The caller's folder may be below /tmp, and what is started from a folder that is gone is not found.
    'cd / && exec "$@"',
  ].join("\n");
  const user = ["setpriv", "--reuid", `${AGENT_UID}`, "--regid", `${AGENT_UID}`, "--clear-groups", "--"];
  return ["unshare", "--mount", "--", "sh", "-euc", own, "sh", ...user, "env", "-i", ...variables, ...words];
}

/** Where the file is a link into /run, that is the world's own and empty: what it points to is written there. */
function placeResolver(): string {
  const target = linkTarget(RESOLV_CONF);
  if (target?.startsWith("/run/") === true) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(`${ROOT}/resolv.conf`));
    return "";
  }
  if (existsSync(RESOLV_CONF)) return `mount --bind ${ROOT}/resolv.conf ${RESOLV_CONF}`;
  throw new SeawallError("SEAWALL_LAB", `OpenClaw needs a ${RESOLV_CONF} on this machine, which has none`, {
    still: "nothing of this machine was changed",
    help: `touch ${RESOLV_CONF}`,
  });
}

function linkTarget(path: string): string | null {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? resolve(dirname(path), readlinkSync(path)).replace(/^\/var\/run\//, "/run/") : null;
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = runSync("mount", args);
  if (status === 0) return;
  throw new SeawallError("SEAWALL_LAB", `OpenClaw cannot be shown to the agent: ${stderr.trim()}`, {
    still: "nothing of this machine was changed",
  });
}
