const DEFAULT = "/var/lib/seawall";

/** Returns the directory of what Seawall remembers: SEAWALL_STATE_DIR, else the system's place. */
export function stateDirOf(env: Readonly<Record<string, string | undefined>>): string {
  const moved = env["SEAWALL_STATE_DIR"];
  return moved === undefined || moved === "" ? DEFAULT : moved;
}
