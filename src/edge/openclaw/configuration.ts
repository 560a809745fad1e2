import { posix } from "node:path";
import { type Assembly, assembleConfiguration } from "../../core/openclaw/assemble.ts";
import { parseEnvironmentFile, type Variables } from "../../core/openclaw/environment.ts";
import { groupsOf } from "../host/user-group.ts";
import type { FoundInstance } from "./instance.ts";
import { readOwnedFile } from "./owned-file.ts";

/** LIMIT: bytes of one configuration file. */
export const CONFIG_BYTES_MAX = 1024 * 1024;
/** LIMIT: bytes of one environment file. */
const ENVIRONMENT_BYTES_MAX = 256 * 1024;

export interface ReadConfiguration extends Assembly {
  readonly variables: Variables;
}

/** Where a configuration is, and whose it must be. */
export interface ConfigurationPlace {
  readonly configPath: string;
  readonly uid: number;
  /** `/proc/PID/root` where the files are in a container; null on this host. */
  readonly root: string | null;
}

/** Returns the configuration with all that it includes. What is not its user's, or is reached by a link, is not read. */
export function assembleOf({ configPath, uid, root }: ConfigurationPlace): Assembly {
  // A container has groups of its own.
  const where = root === null ? { gids: groupsOf(uid) } : { root };
  return assembleConfiguration(configPath, (path) =>
    readOwnedFile({ path, uid, bytesMax: CONFIG_BYTES_MAX, ...where }),
  );
}

/**
 * Returns the configuration of an instance and the variables it starts with: those of its process, its `.env`
 * and the gateway's own file. A file that is not its user's, is reached by a link or is too long is not read.
 */
export function readConfiguration(instance: FoundInstance): ReadConfiguration {
  const { stateFolder, uid, root } = instance;
  const read = (path: string, bytesMax: number) =>
    readOwnedFile({ path, uid, bytesMax, ...(root === null ? {} : { root }) });
  const assembly = assembleOf(instance);
  const home = posix.dirname(stateFolder);
  const variables = new Map<string, string>();
  for (const path of [posix.join(home, ".config/openclaw/gateway.env"), posix.join(stateFolder, ".env")]) {
    const file = read(path, ENVIRONMENT_BYTES_MAX);
    if (!file.ok) continue;
    for (const [name, value] of parseEnvironmentFile(file.text)) variables.set(name, value);
  }
  for (const [name, value] of instance.variables) variables.set(name, value);
  return { ...assembly, variables };
}
