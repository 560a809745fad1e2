/** Where secrets lie on this host. Values are compared and dropped: only place and kind are kept. */
import { dirname, join } from "node:path";
import type { ConfigObject } from "../../core/audit/fact/openclaw.ts";
import type { EnvFile, SecretFacts, SecretHit } from "../../core/audit/fact/secret.ts";
import { modeText } from "../../core/audit/fact/file.ts";
import type { Account } from "../../core/audit/fact/listener.ts";
import { isObject, objectsUnder, textAt, walk } from "../../core/audit/read/config-path.ts";
import { secretIn, secretOfSetting, secretsInText } from "../../core/audit/read/secret-rule.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { leftOutText } from "../../core/openclaw/instance-limit.ts";
import { writableBy } from "../host/writable-by.ts";
import { namesIn, ownStateAt, readText, stateAt, textOf } from "./file.ts";
import { readConfig } from "./openclaw.ts";
import type { Place, Places } from "./openclaw-place.ts";
import type { ProcessTable } from "./process.ts";
import { readRepositories } from "./repository.ts";

/** LIMIT: bytes of one history, transcript or backup that are looked at, and files of each kind. */
const TRACE_BYTES_MAX = 2 * 1024 * 1024;
const TRACE_FILES_MAX = 60;

interface Seen extends Places {
  readonly table: ProcessTable;
  readonly accounts: readonly Account[];
}

export async function readSecrets(seen: Seen): Promise<Reading<SecretFacts>> {
  const configs = seen.places.map((place) => ({ place, config: readConfig(place).config }));
  const values = configs.flatMap(({ place, config }) =>
    config.kind === "read" ? [{ place, config: config.value }] : [],
  );
  const [limited] = seen.leftOut;
  /** Nothing found at some is not nothing at all. */
  const ofAll = <Hit>(found: Reading<readonly Hit[]>): Reading<readonly Hit[]> =>
    limited === undefined || found.kind !== "read" || found.value.length > 0
      ? found
      : unreadable(leftOutText(limited), "ps -eo user,pid,args | grep -E 'openclaw|clawdbot'");
  return read({
    config: ofAll(configHits(configs)),
    envFiles: seen.places.flatMap(envFilesOf),
    repositories: ofAll(
      await readRepositories(
        values.flatMap(({ place, config }) => foldersOf(place, config)),
        seen.places,
        seen.accounts,
      ),
    ),
    units: unitHits(),
    environments: environmentHits(seen),
    traces: ofAll(traceHits(seen.places)),
    statePermissions: ofAll(statePermissions(seen.places)),
    resolvers: values.flatMap(({ place, config }) => resolversOf(place, config)),
    sources: [...new Set(values.flatMap(({ config }) => sourcesOf(config)))],
    sealed: [],
    ...memory(),
  });
}

function configHits(
  configs: readonly { readonly place: Place; readonly config: Reading<ConfigObject> }[],
): Reading<readonly SecretHit[]> {
  if (configs.length === 0) return absent("no OpenClaw was found on this host");
  const hidden = configs.find(({ config }) => config.kind === "unreadable");
  if (hidden?.config.kind === "unreadable") return hidden.config;
  return read(
    configs.flatMap(({ place, config }) => {
      const hits: SecretHit[] = [];
      if (config.kind !== "read") return hits;
      walk(config.value, (path, value) => {
        if (typeof value !== "string") return;
        const rule = secretOfSetting(path.slice(path.lastIndexOf(".") + 1), value);
        if (rule !== null) hits.push({ place: `${place.configPath ?? "openclaw.json"}: ${path}`, rule });
      });
      return hits;
    }),
  );
}

const ENV_NAME = /^\.env(?:\.[A-Za-z0-9_-]+)?$|^gateway\.env$/;

function envFilesOf(place: Place): EnvFile[] {
  const folders = [
    place.home,
    place.stateFolder ?? "",
    join(place.home, ".config", "openclaw"),
    join(place.stateFolder ?? "", "workspace"),
    join(place.home, "openclaw"),
  ];
  const paths = [...new Set(folders)].flatMap((folder) =>
    namesIn(folder)
      .filter((name) => ENV_NAME.test(name) && !/example|sample|template/.test(name))
      .map((name) => join(folder, name)),
  );
  return paths.flatMap((path) => {
    const content = readText(path, { limit: TRACE_BYTES_MAX });
    const parent = stateAt(dirname(path));
    if (content.kind !== "text" || parent === undefined) return [];
    const hits = secretsInText(content.text).map(({ line, rule }) => ({ place: `${path}:${line}`, rule }));
    return [{ ...content.state, links: content.links, ownerUid: place.uid, parent, hits }];
  });
}

function foldersOf(place: Place, config: ConfigObject): string[] {
  const workspace = textAt(config, "agents.defaults.workspace")?.replace(/^~(?=\/|$)/, place.home);
  return [
    place.home,
    place.stateFolder ?? "",
    workspace ?? join(place.stateFolder ?? "", "workspace"),
  ].filter((folder) => folder !== "");
}

/** Units of the system are readable by everybody: `Environment=` is no place for a secret. */
function unitHits(): SecretHit[] {
  const folders = [
    "/etc/systemd/system",
    ...namesIn("/etc/systemd/system")
      .filter((name) => name.endsWith(".d"))
      .map((name) => `/etc/systemd/system/${name}`),
  ];
  return folders.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => /\.(service|conf)$/.test(name))
      .flatMap((name) =>
        textOf(`${folder}/${name}`)
          .split("\n")
          .flatMap((line, index) => {
            const setting = /^\s*Environment=\s*"?([A-Za-z_]\w*)=([^"\s]*)/.exec(line);
            const rule = setting === null ? null : secretOfSetting(setting[1] ?? "", setting[2] ?? "");
            return rule === null
              ? []
              : [{ place: `${folder}/${name}:${index + 1} ${setting?.[1] ?? ""}`, rule }];
          }),
      ),
  );
}

/** Provider keys in the environment of processes that are neither a gateway nor below one. */
function environmentHits({ places, table }: Seen): Reading<readonly SecretHit[]> {
  if (process.geteuid?.() !== 0)
    return unreadable(
      "the environment of others' processes is for root to see",
      "sudo seawall audit --layer secrets",
    );
  const agents = new Set(places.flatMap(({ pid }) => (pid === null ? [] : [pid])));
  const uids = new Set(places.flatMap(({ uid }) => (uid === 0 ? [] : [uid])));
  const parents = new Map(table.all.map(({ pid, parent }) => [pid, parent]));
  const isAgents = (pid: number): boolean => {
    for (
      let at: number | undefined = pid, steps = 0;
      at !== undefined && at > 1 && steps < 64;
      at = parents.get(at), steps += 1
    )
      if (agents.has(at)) return true;
    return false;
  };
  return read(
    table.all.flatMap((one) => {
      if (isAgents(one.pid) || uids.has(one.uid) || one.pid === process.pid) return [];
      const content = readText(`/proc/${one.pid}/environ`, { limit: 256 * 1024 });
      if (content.kind !== "text") return [];
      return content.text.split("\0").flatMap((entry) => {
        const at = entry.indexOf("=");
        const rule = at > 0 ? secretIn(entry.slice(at + 1)) : null;
        return rule === null ? [] : [{ place: `${one.comm} (pid ${one.pid}): ${entry.slice(0, at)}`, rule }];
      });
    }),
  );
}

const TRACES = [
  ".bash_history",
  ".zsh_history",
  ".bashrc",
  ".profile",
  ".zshrc",
  ".bash_profile",
  ".python_history",
  ".node_repl_history",
];

function traceHits(places: readonly Place[]): Reading<readonly SecretHit[]> {
  if (places.length === 0) return absent("no OpenClaw was found on this host");
  const homes = [...new Set([...places.map(({ home }) => home), "/root"])];
  const paths = [
    ...homes.flatMap((home) => TRACES.map((name) => join(home, name))),
    ...places.flatMap(({ stateFolder }) =>
      stateFolder === null ? [] : [...backupsIn(stateFolder), ...transcriptsIn(stateFolder)],
    ),
  ].slice(0, TRACE_FILES_MAX * 4);
  let refused: string | null = null;
  const hits = paths.flatMap((path) => {
    const content = readText(path, { limit: TRACE_BYTES_MAX });
    if (content.kind === "refused" && !/no regular file|symbolic link/.test(content.why))
      refused = content.why;
    if (content.kind !== "text") return [];
    return secretsInText(content.text).map(({ line, rule }) => ({ place: `${path}:${line}`, rule }));
  });
  if (hits.length === 0 && refused !== null) return unreadable(refused, "sudo seawall audit --layer secrets");
  return read(hits);
}

function backupsIn(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => /(\.bak|\.backup|\.old|~)(\.\d+)?$/.test(name))
    .slice(0, TRACE_FILES_MAX)
    .map((name) => join(folder, name));
}

/** The newest transcripts of each agent. */
function transcriptsIn(state: string): string[] {
  return namesIn(join(state, "agents")).flatMap((agent) => {
    const folder = join(state, "agents", agent, "sessions");
    const files = namesIn(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => join(folder, name));
    return files
      .toSorted((left, right) => (ownStateAt(right)?.mtimeMs ?? 0) - (ownStateAt(left)?.mtimeMs ?? 0))
      .slice(0, TRACE_FILES_MAX);
  });
}

/** Private files of the state folder, as OpenClaw's documentation lists them, with what is wrong. */
function statePermissions(places: readonly Place[]): Reading<readonly string[]> {
  if (places.length === 0) return absent("no OpenClaw was found on this host");
  const wrong: string[] = [];
  for (const { stateFolder, configPath, uid } of places) {
    if (stateFolder === null) continue;
    const agents = namesIn(join(stateFolder, "agents")).map((agent) =>
      join(stateFolder, "agents", agent, "agent"),
    );
    const paths = [
      stateFolder,
      configPath ?? "",
      join(stateFolder, ".env"),
      join(stateFolder, "secrets.json"),
      ...["openclaw.sqlite", "openclaw.sqlite-wal", "openclaw.sqlite-shm"].map((name) =>
        join(stateFolder, "state", name),
      ),
      ...agents.flatMap((folder) =>
        namesIn(folder)
          .filter((name) => /\.sqlite|auth.*\.json$/.test(name))
          .map((name) => join(folder, name)),
      ),
      ...credentialFiles(join(stateFolder, "credentials")),
    ];
    for (const path of paths) {
      const state = path === "" ? undefined : ownStateAt(path);
      if (state === undefined || state.kind === "link") continue;
      if ((state.mode & 0o077) !== 0) wrong.push(`${path}: ${modeText(state.mode)}`);
      if (state.uid !== uid) wrong.push(`${path}: owned by ${state.uid}, the agent is ${uid}`);
    }
  }
  return read(wrong);
}

function credentialFiles(folder: string): string[] {
  const names = namesIn(folder).map((name) => join(folder, name));
  const below = names
    .filter((path) => ownStateAt(path)?.kind === "folder")
    .flatMap((path) => namesIn(path).map((name) => join(path, name)));
  return [...(names.length > 0 ? [folder] : []), ...names, ...below];
}

function resolversOf(place: Place, config: ConfigObject): SecretFacts["resolvers"] {
  return objectsUnder(config, "secrets.providers").flatMap(([path, provider]) => {
    const command = textAt(provider, "command");
    if (textAt(provider, "source") !== "exec" || command === undefined) return [];
    const name = path.slice(path.lastIndexOf(".") + 1);
    if (!command.startsWith("/")) return [{ provider: name, problem: `${command} is no absolute path` }];
    if (ownStateAt(command)?.kind === "link")
      return [{ provider: name, problem: `${command} is a symbolic link` }];
    return [{ provider: name, problem: writableBy(command, new Set([0, place.uid])) }];
  });
}

function sourcesOf(config: ConfigObject): string[] {
  const sources: string[] = [];
  walk(config, (_path, value) => {
    if (isObject(value) && typeof value["source"] === "string" && typeof value["id"] === "string")
      sources.push(value["source"]);
  });
  return sources;
}

/** Swap that lies on device-mapper crypt, or in memory, does not reach the disk in plain text. */
function memory(): Pick<SecretFacts, "swap" | "swapEncrypted" | "suidDumpable"> {
  const devices = textOf("/proc/swaps")
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? "")
    .filter((name) => name !== "");
  const isSafe = (device: string): boolean =>
    /zram/.test(device) || textOf(`/sys/block/${device.replace("/dev/", "")}/dm/uuid`).startsWith("CRYPT-");
  const dumpable = textOf("/proc/sys/fs/suid_dumpable").trim();
  return {
    swap: devices,
    swapEncrypted: devices.every(isSafe),
    suidDumpable: dumpable === "" ? null : Number(dumpable),
  };
}
