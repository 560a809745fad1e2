/** What sshd does, by its own word: `sshd -T -C` for every user and address that could make a difference. */
import type { SshConfigFile, SshContext, SshFacts, SshHostKey } from "../../core/audit/fact/ssh.ts";
import type { Account, Listener } from "../../core/audit/fact/listener.ts";
import {
  parseKeyLine,
  parseSshdFile,
  parseSshdOptions,
  parseSshdTitle,
  sshdConfigArguments,
} from "../../core/audit/read/sshd.ts";
import { absent, type Reading, read, unreadable, valueOr } from "../../core/audit/reading.ts";
import { type Answer, findProgram } from "../host/command.ts";
import { lookAtSsh } from "../host/ssh-session.ts";
import { ask, inTurns } from "./ask.ts";
import { namesIn, readText, stateAt } from "./file.ts";
import type { ProcessSeen, ProcessTable } from "./process.ts";
import { readSshUsers } from "./ssh-user.ts";
import { hasSystemd } from "./systemd.ts";

const CONFIG = "/etc/ssh/sshd_config";
/** LIMIT: questions to sshd, each about 20 ms; and files of its configuration. */
const CONTEXTS_MAX = 64;
const FILES_MAX = 64;
const AT_ONCE = 4;
/** A stranger, the three private networks, this host: what Match Address tells apart. */
const ADDRESSES = ["203.0.113.9", "10.0.0.9", "192.168.0.9", "172.16.0.9", "127.0.0.1", "2001:db8::9"];
const NO_SHELL = /\/(?:nologin|false|sync|shutdown|halt)$/;

interface Seen {
  readonly processes: ProcessTable;
  readonly listeners: Reading<readonly Listener[]>;
  readonly accounts: Reading<readonly Account[]>;
  readonly operators: readonly string[];
  readonly nowMs: number;
}

export async function readSsh(seen: Seen): Promise<Reading<SshFacts>> {
  if (findProgram("sshd") === undefined) return absent("no OpenSSH server is installed");
  const listener = listenerOf(seen.processes);
  const args = sshdConfigArguments(parseSshdTitle(listener?.title ?? "") ?? []);
  const config = configPath(args);
  const files = readConfigFiles(config);
  if (files.length === 0 && listener === undefined && stateAt(config) === undefined)
    return absent("an OpenSSH server is installed, but it has no configuration");
  const answers = await inTurns(contextsToAsk(files, seen), AT_ONCE, async (context) => ({
    context,
    answer: await askSshd(args, context),
  }));
  const contexts = answers.flatMap(({ context, answer }) =>
    answer?.status === 0 ? [{ ...context, options: parseSshdOptions(answer.stdout) }] : [],
  );
  const [first] = contexts;
  if (first === undefined) return refused(answers[0]?.answer);
  return read(await factsOf(seen, { config, files, contexts, first, running: listener !== undefined }));
}

/** SECURITY: anybody may write such a title; only root's own sshd says which configuration holds. */
function listenerOf({ all, net }: ProcessTable): ProcessSeen | undefined {
  return all.find(
    (process) => process.uid === 0 && process.net === net && parseSshdTitle(process.title) !== undefined,
  );
}

function refused(answer: Answer | undefined): Reading<SshFacts> {
  const said = answer?.stderr.trim().split("\n").at(-1) ?? "it cannot be started";
  return unreadable(`sshd -T fails: ${said}`, process.geteuid?.() === 0 ? "sshd -t" : "sudo seawall audit");
}

interface Heard {
  readonly config: string;
  readonly files: readonly SshConfigFile[];
  readonly contexts: readonly SshContext[];
  readonly first: SshContext;
  readonly running: boolean;
}

async function factsOf(seen: Seen, { config, files, contexts, first, running }: Heard): Promise<SshFacts> {
  const valuesOf = (option: string): readonly string[] => first.options.get(option) ?? [];
  const ports = new Set(valuesOf("port").map(Number));
  const socketActivated = isSocketActivated(seen.listeners, ports, running);
  const [version, hostKeys] = await Promise.all([
    ask("sshd", ["-V"]),
    inTurns(valuesOf("hostkey"), AT_ONCE, readHostKey),
  ]);
  return {
    version: versionOf(version),
    contexts,
    files,
    dropIns: dropInsBeside(config),
    unread: dropInsBeside(config).flatMap((path) =>
      files.some((file) => file.path === path) ? [] : fileAt(path),
    ),
    hostKeys,
    users: readSshUsers(valueOr(seen.accounts, []), contexts, seen),
    listening: listeningPorts(ownListeners(seen.listeners), socketActivated ? ports : new Set(), running),
    socketActivated,
    operators: seen.operators,
    unit: unitOf(seen.processes),
    pidFile: running ? (stateAt(valuesOf("pidfile")[0] ?? "")?.path ?? null) : null,
    loadedMs: running ? (stateAt(valuesOf("pidfile")[0] ?? "")?.mtimeMs ?? null) : null,
  };
}

/** `ssh.service`: what systemd started the listener as. */
function unitOf(processes: ProcessTable): string | null {
  if (!hasSystemd()) return null;
  return /\/([A-Za-z0-9@._-]+\.service)$/m.exec(listenerOf(processes)?.cgroup ?? "")?.[1] ?? null;
}

/** SECURITY: anybody may call a program `sshd`; the host's own SSH is known by what the kernel knows of it. */
function ownListeners(listeners: Reading<readonly Listener[]>): Reading<readonly Listener[]> {
  if (listeners.kind !== "read") return listeners;
  const own = new Set(lookAtSsh().listeners.map(({ port }) => port));
  return read(listeners.value.filter(({ program, port }) => program !== "sshd" || own.has(port)));
}

function configPath(args: readonly string[]): string {
  const at = args.findIndex((word) => word.startsWith("-f"));
  const word = args[at] ?? "";
  return at === -1 ? CONFIG : word.length > 2 ? word.slice(2) : (args[at + 1] ?? CONFIG);
}

/** Reads the main file and what it includes, in the order in which sshd does. */
function readConfigFiles(path: string): SshConfigFile[] {
  const files: SshConfigFile[] = [];
  const queue = [path];
  while (queue.length > 0 && files.length < FILES_MAX) {
    const next = queue.shift() ?? "";
    if (files.some((file) => file.path === next)) continue;
    const content = readText(next, { follow: true });
    if (content.kind !== "text") continue;
    files.push({ ...content.state, text: content.text });
    const patterns = parseSshdFile(content.text)
      .filter(({ keyword }) => keyword === "include")
      .flatMap(({ value }) => value.split(/\s+/));
    queue.push(...patterns.flatMap(expand));
  }
  return files;
}

/** glob(7) in the last part of the path, which is how Include is used; a relative path lies in /etc/ssh. */
function expand(pattern: string): string[] {
  const path = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
  const [folder, last] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
  if (!/[*?[]/.test(last)) return [path];
  const expression = last
    .replaceAll(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return namesIn(folder)
    .filter((name) => !name.startsWith(".") && new RegExp(`^${expression}$`).test(name))
    .map((name) => `${folder}/${name}`);
}

function fileAt(path: string): SshConfigFile[] {
  const content = readText(path, { follow: true });
  return content.kind === "text" ? [{ ...content.state, text: content.text }] : [];
}

function dropInsBeside(config: string): string[] {
  const folder = `${config}.d`;
  return namesIn(folder)
    .filter((name) => name.endsWith(".conf"))
    .map((name) => `${folder}/${name}`);
}

type Wanted = Pick<SshContext, "user" | "address"> & { readonly localPort: number };

/** Without a Match block every context is the same: two are asked to see that it is so. */
function contextsToAsk(files: readonly SshConfigFile[], seen: Seen): Wanted[] {
  const accounts = valueOr(seen.accounts, []);
  const matches = files
    .flatMap((file) => parseSshdFile(file.text))
    .filter(({ keyword }) => keyword === "match");
  const logins = accounts
    .filter(({ shell, uid }) => shell !== "" && !NO_SHELL.test(shell) && (uid === 0 || uid >= 1000))
    .map(({ name }) => name);
  const users = ["root", ...logins.filter((name) => name !== "root")];
  const port = valueOr(seen.listeners, []).find(({ program }) => program === "sshd")?.port ?? 22;
  if (matches.length === 0)
    return users.slice(0, 2).map((user) => ({ user, address: ADDRESSES[0] ?? "", localPort: port }));
  const named = matches.flatMap(({ value }) => value.split(/[\s,]+/));
  const inMatch = named.filter(
    (word) => /^[a-z_][a-z0-9_-]*$/i.test(word) && accounts.some(({ name }) => name === word),
  );
  const networks = named
    .map((word) => word.replace(/^!/, "").split("/")[0] ?? "")
    .filter((word) => /^[0-9a-f.:]+$/i.test(word) && /[.:]/.test(word));
  const addresses = [...new Set([...ADDRESSES, ...seen.operators, ...networks])];
  const everybody = [...new Set([...users, ...inMatch])];
  const all = everybody.flatMap((user) => addresses.map((address) => ({ user, address, localPort: port })));
  // The first is what the others are compared with: an ordinary user from nowhere special.
  const plain = all.find(({ user, address }) => user === (users[1] ?? "root") && address === ADDRESSES[0]);
  return [...(plain === undefined ? [] : [plain]), ...all.filter((context) => context !== plain)].slice(
    0,
    CONTEXTS_MAX,
  );
}

async function askSshd(
  args: readonly string[],
  { user, address, localPort }: Wanted,
): Promise<Answer | undefined> {
  const question = [
    "-T",
    ...args,
    "-C",
    `user=${user},host=${address},addr=${address},laddr=${address.includes(":") ? "2001:db8::1" : "192.0.2.1"},lport=${localPort}`,
  ];
  const answer = await ask("sshd", question);
  if (answer === undefined || answer.status === 0 || !/privilege separation directory/.test(answer.stderr))
    return answer;
  return ask("unshare", [
    "--mount",
    "--propagation",
    "private",
    "--",
    "sh",
    "-euc",
    WITH_FOLDER,
    "sh",
    "sshd",
    ...question,
  ]);
}

/**
 * /run/sshd is missing while sshd is not running, and sshd refuses to answer without it. It is made in a mount
 * namespace of the question alone, so that nothing is written on the host.
 */
const WITH_FOLDER = `mount -t tmpfs tmpfs /mnt; mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/run,upperdir=/mnt/upper,workdir=/mnt/work overlay /run
mkdir -p -m 755 /run/sshd; exec "$@"`;

async function readHostKey(path: string): Promise<SshHostKey> {
  const state = stateAt(path) ?? { path, mode: 0, uid: -1, gid: -1, mtimeMs: 0 };
  const line = (await ask("ssh-keygen", ["-l", "-f", path]))?.stdout ?? "";
  const key = parseKeyLine(line);
  return { ...state, type: key?.type ?? null, bits: key?.bits ?? null };
}

function isSocketActivated(
  listeners: Reading<readonly Listener[]>,
  ports: ReadonlySet<number>,
  hasListener: boolean,
): boolean {
  return (
    !hasListener &&
    valueOr(listeners, []).some(
      ({ program, port }) => program === "systemd" && (ports.has(port) || port === 22),
    )
  );
}

function listeningPorts(
  listeners: Reading<readonly Listener[]>,
  systemdPorts: ReadonlySet<number>,
  running: boolean,
): Reading<readonly number[]> {
  if (listeners.kind !== "read") return listeners;
  const own = listeners.value.filter(
    ({ program, protocol, port }) =>
      protocol === "tcp" && (program === "sshd" || (program === "systemd" && systemdPorts.has(port))),
  );
  if (own.length === 0 && listeners.value.some(({ program }) => program === null))
    return unreadable("who holds which socket cannot be seen", "sudo seawall audit --layer ssh");
  if (own.length === 0 && !running) return absent("sshd does not run, and nobody listens for it");
  // A client's own forwarding (`ssh -R`) is a socket of sshd on loopback; it is not a port one logs in by.
  const outward = own.filter(({ address }) => !address.startsWith("127.") && address !== "::1");
  return read(
    [...new Set((outward.length > 0 ? outward : own).map(({ port }) => port))].sort(
      (left, right) => left - right,
    ),
  );
}

function versionOf(answer: Answer | undefined): string | null {
  return /OpenSSH_(\S+?)[\s,]/.exec(`${answer?.stderr ?? ""}${answer?.stdout ?? ""} `)?.[1] ?? null;
}
