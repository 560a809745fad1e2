/** Every OpenClaw of this host: its process, sockets, configuration, and its own word about itself. */
import { shellWord } from "../../core/base/shell-word.ts";
import { dirname, join } from "node:path";
import type {
  ConfigObject,
  OpenclawFacts,
  OpenclawInstance,
  UnitSandbox,
} from "../../core/audit/fact/openclaw.ts";
import type { Account, Listener } from "../../core/audit/fact/listener.ts";
import { isObject, textAt } from "../../core/audit/read/config-path.ts";
import { oldSpellings } from "../../core/audit/read/old-spelling.ts";
import {
  configValue,
  parseDoctor,
  parseOpenclawAudit,
  parseSecretsAudit,
} from "../../core/audit/read/openclaw.ts";
import { isReference } from "../../core/audit/read/secret-rule.ts";
import { parseSudoList } from "../../core/audit/read/sudo.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { claimText, leftOutText } from "../../core/openclaw/instance-limit.ts";
import { findProgram } from "../host/command.ts";
import { groupNames } from "./account.ts";
import { ask } from "./ask.ts";
import { namesIn, ownStateAt, readText, stateAt } from "./file.ts";
import { askHttp } from "./http.ts";
import { assembleOf } from "../openclaw/configuration.ts";
import type { Program } from "../openclaw/program.ts";
import { type AnswerCache, askOpenclaw, findCli } from "./openclaw-cli.ts";
import type { Place, Places } from "./openclaw-place.ts";
import { listenersOf, type ProcessTable } from "./process.ts";
import { hasSystemd, unitProperties } from "./systemd.ts";

interface Seen extends Places {
  readonly table: ProcessTable;
  readonly accounts: readonly Account[];
  readonly cache: AnswerCache;
  /** Whether OpenClaw's own commands are left out unless an earlier answer holds. */
  readonly quick: boolean;
}

export async function readOpenclaw(seen: Seen): Promise<Reading<OpenclawFacts>> {
  const { places, leftOut, claims } = seen;
  const said = claims.map(claimText);
  if (places.length === 0) return absent(["no OpenClaw was found on this host", ...said].join("; "));
  return read({
    instances: await Promise.all(places.map((place) => readInstance(place, seen))),
    notLookedAt: leftOut.map(leftOutText),
    claims: said,
  });
}

async function readInstance(place: Place, seen: Seen): Promise<OpenclawInstance> {
  const { config, refused } = readConfig(place);
  const account = seen.accounts.find(({ uid }) => uid === place.uid);
  const listeners =
    place.pid === null ? [] : listenersOf(seen.table, place.pid).filter(({ protocol }) => protocol === "tcp");
  const own = config.kind === "read" ? config.value : {};
  // SECURITY: a process may name any file as its configuration; a token in a file of somebody else is not handed to it.
  const isOwn = place.configPath !== null && ownStateAt(place.configPath)?.uid === place.uid;
  const token = isOwn ? textAt(own, "gateway.auth.token") : undefined;
  const [answers, version, commands, sandbox, process] = await Promise.all([
    readAnswers(listeners, place, seen, token ?? place.environment.get("OPENCLAW_GATEWAY_TOKEN")),
    readVersion(listeners, place, seen),
    readCommands(place, account, seen),
    readSandbox(place),
    readRights(place, seen),
  ]);
  const secret =
    place.environment.get("OPENCLAW_GATEWAY_TOKEN") ?? place.environment.get("OPENCLAW_GATEWAY_PASSWORD");
  return {
    name: nameOf(place),
    pid: place.pid,
    uid: place.uid,
    user: place.user,
    unit: place.unit,
    container: place.container,
    profile: place.profile,
    stateFolder: place.stateFolder === null ? null : (stateAt(place.stateFolder) ?? null),
    configFile: place.configPath === null ? null : (stateAt(place.configPath) ?? null),
    config,
    refused,
    listeners,
    oldSpellings: [...oldSpellings(own), ...oldFolder(place)],
    answers,
    version,
    ...commands,
    process,
    sandbox,
    skills: read(skillsOf(place, own)),
    plugins: read(pluginsOf(place)),
    backups: read(backupsOf(place)),
    tokenInEnvironment: { present: secret !== undefined && secret !== "", length: secret?.length ?? 0 },
  };
}

function nameOf(place: Place): string {
  if (place.pid !== null) return `gateway of ${place.user} (pid ${place.pid})`;
  return `${place.stateFolder ?? "OpenClaw"} of ${place.user}`;
}

function oldFolder(place: Place): { readonly key: string; readonly today: string }[] {
  const folder = place.stateFolder ?? "";
  return /\/\.(clawdbot|moltbot)/.test(folder)
    ? [{ key: folder, today: "~/.openclaw (openclaw doctor moves it)" }]
    : [];
}

/**
 * Returns the configuration by init's own reader: `$include` and JSON5 have one meaning here. A file that is not there
 * means the defaults. SECURITY: what is not read as a whole is not known: no part of it stands for all of it.
 */
export function readConfig(place: Place): {
  readonly config: Reading<ConfigObject>;
  readonly refused: string | null;
} {
  const { configPath, uid, root } = place;
  if (configPath === null) return { config: read({}), refused: null };
  const own = configPath.slice(root.length);
  const assembly = assembleOf({ configPath: own, uid, root: root === "" ? null : root });
  const [refusal] = assembly.refusals;
  const refused = refusal === undefined ? null : `${refusal}; OpenClaw ends with exit code 78`;
  if (assembly.isMissing) return { config: read({}), refused: null };
  const [problem] = assembly.problems;
  if (problem === undefined && assembly.root !== null) {
    const value = configValue(assembly.root);
    if (isObject(value)) return { config: read(value), refused };
  }
  const why = `the configuration is not known: ${problem ?? "it holds no object"}`;
  const needs = process.geteuid?.() === 0 ? `ls -l ${shellWord(configPath)}` : "sudo seawall audit";
  return { config: unreadable(why, needs), refused };
}

function gatewaySocket(listeners: readonly Listener[], place: Place): Listener | undefined {
  const wanted = Number(place.environment.get("OPENCLAW_GATEWAY_PORT") ?? 0);
  return (
    listeners.find(({ port }) => port === wanted) ??
    listeners.find(({ port }) => port === 18_789) ??
    listeners[0]
  );
}

async function readAnswers(
  listeners: readonly Listener[],
  place: Place,
  seen: Seen,
  token: string | undefined,
): Promise<OpenclawInstance["answers"]> {
  const socket = gatewaySocket(listeners, place);
  if (place.pid === null) return unreadable("it does not run", "openclaw gateway start");
  if (socket === undefined) return unreadable("its sockets cannot be seen", "sudo seawall audit --layer app");
  if (netOf(place, seen) !== seen.table.net)
    return unreadable(
      "it listens in a network of its own",
      `nsenter -t ${place.pid} -n seawall audit --layer app`,
    );
  const question = { address: callable(socket.address), port: socket.port, path: "/v1/models" };
  const without = await askHttp(question);
  if (without.status === null)
    return unreadable(`port ${socket.port}: ${without.why}`, "openclaw gateway status");
  // SECURITY: the token goes to the socket that this very process holds, on this host, and nowhere else.
  if (token === undefined || isReference(token)) return read({ without: without.status, withToken: null });
  const withToken = await askHttp({ ...question, headers: { authorization: `Bearer ${token}` } });
  return read({ without: without.status, withToken: withToken.status });
}

async function readVersion(listeners: readonly Listener[], place: Place, seen: Seen): Promise<string | null> {
  const socket = gatewaySocket(listeners, place);
  if (socket !== undefined && netOf(place, seen) === seen.table.net) {
    const answer = await askHttp({ address: callable(socket.address), port: socket.port, path: "/startupz" });
    const version =
      answer.status === 200 ? /"version"\s*:\s*"([0-9A-Za-z.+-]{1,40})"/.exec(answer.body)?.[1] : undefined;
    if (version !== undefined) return version;
  }
  const cli = findCli(place);
  if (cli.kind !== "read") return null;
  const manifest = readText(join(dirname(cli.value.script), "package.json"), { follow: true });
  return manifest.kind === "text"
    ? (/"version"\s*:\s*"([^"]{1,40})"/.exec(manifest.text)?.[1] ?? null)
    : null;
}

function netOf(place: Place, seen: Seen): string {
  return seen.table.all.find(({ pid }) => pid === place.pid)?.net ?? "";
}

function callable(address: string): string {
  return address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
}

type Commands = Pick<OpenclawInstance, "audit" | "secretsAudit" | "doctor">;

async function readCommands(place: Place, account: Account | undefined, seen: Seen): Promise<Commands> {
  const cli = findCli(place);
  if (cli.kind !== "read") return { audit: cli, secretsAudit: cli, doctor: cli };
  const [audit, secretsAudit, doctor] = await Promise.all([
    command(place, cli.value, account, ["security", "audit", "--json"], seen, parseOpenclawAudit),
    command(place, cli.value, account, ["secrets", "audit", "--json"], seen, parseSecretsAudit),
    command(place, cli.value, account, ["doctor", "--lint", "--json"], seen, parseDoctor),
  ]);
  return { audit, secretsAudit, doctor };
}

async function command<Value>(
  place: Place,
  cli: Program,
  account: Account | undefined,
  args: readonly string[],
  seen: Seen,
  parse: (text: string) => Value | undefined,
): Promise<Reading<Value>> {
  const answer = await askOpenclaw(place, cli, account, args, seen.cache, seen.quick);
  if (answer.kind !== "read") return answer;
  const value = parse(answer.value.stdout);
  if (value !== undefined) return read(value);
  const said =
    answer.value.stderr
      .trim()
      .split("\n")
      .find((line) => line !== "") ?? `exit ${answer.value.status ?? "?"}`;
  return unreadable(
    `openclaw ${args.slice(0, 2).join(" ")}: ${said}`,
    `openclaw ${args.map(shellWord).join(" ")}`,
  );
}

const SANDBOX_PROPERTIES = [
  "NoNewPrivileges",
  "ProtectSystem",
  "PrivateTmp",
  "ProtectHome",
  "CapabilityBoundingSet",
  "User",
  "FragmentPath",
];

async function readSandbox(place: Place): Promise<Reading<UnitSandbox>> {
  if (place.unit === null)
    return absent(place.pid === null ? "it does not run" : "no unit of systemd runs it");
  if (!hasSystemd()) return unreadable("systemd does not answer here", "systemctl show openclaw-gateway");
  const [system] = (await unitProperties([place.unit], SANDBOX_PROPERTIES)) ?? [];
  // The official unit is one of its user's own systemd.
  const own = isLoaded(system)
    ? []
    : ((await unitProperties([place.unit], SANDBOX_PROPERTIES, [
        "--user",
        `--machine=${place.user}@.host`,
      ])) ?? []);
  const properties = isLoaded(system) ? system : own[0];
  if (!isLoaded(properties))
    return unreadable(
      `${place.unit} is not one that systemd tells of`,
      `systemctl --user show ${shellWord(place.unit)} (as ${shellWord(place.user)})`,
    );
  return read({ unit: place.unit, properties: Object.fromEntries(properties) });
}

function isLoaded(
  properties: ReadonlyMap<string, string> | undefined,
): properties is ReadonlyMap<string, string> {
  return properties !== undefined && (properties.get("FragmentPath") ?? "") !== "";
}

async function readRights(place: Place, seen: Seen): Promise<OpenclawInstance["process"]> {
  const running = seen.table.all.find(({ pid }) => pid === place.pid);
  if (running === undefined) return absent("it does not run");
  const names = groupNames();
  return read({
    uid: running.uid,
    groups: running.groups.map((gid) => names.get(gid) ?? String(gid)),
    sudo: await readSudo(place),
  });
}

async function readSudo(place: Place): Promise<Reading<readonly string[]>> {
  if (place.uid === 0 || place.container !== null) return read([]);
  if (findProgram("sudo") === undefined) return read([]);
  if (process.geteuid?.() !== 0)
    return unreadable("what sudo allows others is for root to see", "sudo seawall audit --layer app");
  const answer = await ask("sudo", ["-n", "-l", "-U", place.user]);
  return answer === undefined
    ? unreadable("sudo cannot be asked", `sudo -l -U ${shellWord(place.user)}`)
    : read(parseSudoList(answer.stdout));
}

function pluginsOf(place: Place): string[] {
  return foldersIn(place.stateFolder === null ? "" : join(place.stateFolder, "extensions"));
}

function skillsOf(place: Place, config: ConfigObject): string[] {
  const workspace = textAt(config, "agents.defaults.workspace");
  const folders = [
    place.stateFolder === null ? "" : join(place.stateFolder, "skills"),
    workspace === undefined
      ? join(place.stateFolder ?? "", "workspace", "skills")
      : join(workspace.replace(/^~(?=\/)/, place.home), "skills"),
  ];
  return [...new Set(folders.flatMap(foldersIn))];
}

function foldersIn(folder: string): string[] {
  return namesIn(folder).filter((name) => ownStateAt(join(folder, name))?.kind === "folder");
}

/** Archives of `openclaw backup create` beside the state folder, and in a folder named for it. */
function backupsOf(place: Place): { readonly path: string; readonly newestMs: number }[] {
  const folders = [
    place.home,
    join(place.home, "Backups"),
    join(place.home, "Backups", "openclaw"),
    join(place.home, "backups"),
    "/var/backups/openclaw",
  ];
  return folders.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => /openclaw.*\.(tar|tar\.gz|tgz|tar\.zst|zip)$/i.test(name))
      .flatMap((name) => {
        const path = join(folder, name);
        const state = ownStateAt(path);
        return state?.kind === "file" && state.size > 0 ? [{ path, newestMs: state.mtimeMs }] : [];
      }),
  );
}
