/** Descriptors that whoever started us left open: a program that we start would have them too. */
import { closeSync, readdirSync, readFileSync } from "node:fs";

/** O_CLOEXEC as `flags:` of /proc/PID/fdinfo has it (proc(5)): octal. */
const CLOEXEC = 0o2_000_000;
/** Standard input, output and errors; what a child has in their place is always said. */
const STANDARD = 3;

/**
 * Closes what a program that we start would inherit: files and sockets of the shell or unit that started us, which
 * nobody here reads. Node marks the first sixteen only. What we opened ourselves is marked, and stays.
 */
export function closeInherited(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor >= STANDARD && isInherited(descriptor)) closeSync(descriptor);
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOEXEC) === 0;
  } catch {
    // The one that listed them is closed by now.
    return false;
  }
}
