/** What stat(2) says about a file. */
export interface FileState {
  readonly path: string;
  /** The permission bits, `0o600`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

/** Returns the permission bits as chmod(1) writes them: `0600`. */
export function modeText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** Whether somebody who is neither `owner` nor root may write it. */
export function othersMayWrite(file: FileState, owner = 0): boolean {
  return (file.mode & 0o022) !== 0 || (file.uid !== 0 && file.uid !== owner);
}
