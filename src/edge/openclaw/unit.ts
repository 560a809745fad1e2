import { readdirSync, readFileSync, statSync } from "node:fs";

const FOLDER = "/etc/systemd/system";
/** Units that OpenClaw, its Ansible role and its predecessor install. */
const UNIT = /^(?:openclaw(?:-gateway)?(?:-[A-Za-z0-9_-]{1,32})?|clawdbot-gateway)\.service$/;
/** LIMIT: bytes of a unit file. */
const UNIT_BYTES_MAX = 64 * 1024;

export interface SystemUnit {
  readonly name: string;
  readonly user: string | null;
  readonly variables: ReadonlyMap<string, string>;
}

/** Returns OpenClaw's units of the system manager (systemd.exec(5) User= and Environment=); only files of root. */
export function systemUnits(): SystemUnit[] {
  return namesIn(FOLDER)
    .filter((name) => UNIT.test(name))
    .flatMap((name) => {
      const text = readUnit(`${FOLDER}/${name}`);
      if (text === null) return [];
      const user = /^\s*User\s*=\s*([A-Za-z_][A-Za-z0-9_-]{0,31})\s*$/m.exec(text)?.[1] ?? null;
      const variables = new Map<string, string>();
      for (const match of text.matchAll(/^\s*Environment\s*=\s*(.*)$/gm)) {
        for (const [, , name_ = "", value = ""] of (match[1] ?? "").matchAll(
          /(["']?)([A-Z_][A-Z0-9_]*)=([^"'\s]*)\1/g,
        )) {
          variables.set(name_, value);
        }
      }
      return [{ name, user, variables }];
    });
}

function readUnit(path: string): string | null {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.uid !== 0 || stats.size > UNIT_BYTES_MAX) return null;
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
