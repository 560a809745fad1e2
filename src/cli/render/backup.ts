import { type BackupFile, EVENTS_PATH } from "../../core/archive/manifest.ts";

/** Returns what is in a backup, in one line. */
export function backupWords(files: readonly BackupFile[]): string {
  const count = (pattern: RegExp): number => files.filter(({ path }) => pattern.test(path)).length;
  const bytes = files.find(({ path }) => path === EVENTS_PATH)?.bytes;
  const parts = [
    some(count(/^config\//), "file of the configuration", "files of the configuration"),
    some(count(/^state\/history\/\d+\.json$/), "policy of the history", "policies of the history"),
    some(count(/^state\/audit\//), "audit", "audits"),
    count(/^state\/init\.json$/) > 0 ? ["the record of init"] : [],
    bytes === undefined ? [] : [`the events (${Math.ceil(bytes / 1_024)} KiB)`],
  ];
  return parts.flat().join(", ");
}

function some(count: number, one: string, more: string): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : more}`];
}
