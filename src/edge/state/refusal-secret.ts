/**
 * The secret that ids of refusals are made with: one of this machine, that only root reads. A restart of seawalld
 * finds it again, so that an id stays what it is until the machine starts anew.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync } from "node:fs";
import { KEY_BYTES } from "../../core/gate/refusal.ts";
import { replaceFile } from "./replace-file.ts";

const FILE = "refusal.key";
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** Returns the secret, made and written down where there is none. What cannot be written down lasts for this run only. */
export function refusalSecret(state: string): Uint8Array {
  const path = `${state}/${FILE}`;
  const kept = read(path);
  if (kept !== null) return kept;
  const made = randomBytes(KEY_BYTES);
  try {
    replaceFile(path, made);
    chmodSync(path, 0o600);
  } catch {
    // A full disk: the ids of before a restart are then only found in the log, and given anew afterwards.
  }
  return made;
}

/** Returns the kernel's name of this start of the machine; empty where it does not say. */
export function bootId(): string {
  try {
    return readFileSync(BOOT_ID, "latin1").trim();
  } catch {
    return "";
  }
}

function read(path: string): Uint8Array | null {
  try {
    const bytes = readFileSync(path);
    return bytes.length === KEY_BYTES ? bytes : null;
  } catch {
    return null;
  }
}
