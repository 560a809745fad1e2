/** Writes policy files: whole or not at all, and never over something else. */
import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { SeawallError } from "../core/base/error.ts";
import { fileError } from "../edge/host/file-error.ts";

/** Replaces a file in one step; who owns it and who may read it stay as they are. Links are followed. */
export function replaceKeeping(path: string, text: string): void {
  try {
    const file = realpathSync(path);
    const beside = `${file}.${process.pid}.part`;
    try {
      writeLike(file, beside, text);
      renameSync(beside, file);
    } catch (cause) {
      rmSync(beside, { force: true });
      throw cause;
    }
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}

/** Keeps a copy of a policy file. Refuses when another text is there under that name. */
export function keepCopy(path: string, copy: string): void {
  const text = readFileSync(path, "utf8");
  try {
    if (textOf(copy) === text) return;
    writeLike(realpathSync(path), copy, text);
  } catch (cause) {
    const refused = fileError("write", copy, cause);
    if (refused.code === "SEAWALL_NOT_ROOT") throw refused;
    throw new SeawallError("SEAWALL_STATE", `cannot keep a copy as \`${copy}\``, {
      still: "the policy is as it was",
      help: `ls -l ${copy}, then move it away`,
      cause,
    });
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Writes a new file with the owner and the mode of another. */
function writeLike(model: string, path: string, text: string): void {
  const { mode, uid, gid } = statSync(model);
  const handle = openSync(path, "wx", mode & 0o777);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chownSync(path, uid, gid);
}
