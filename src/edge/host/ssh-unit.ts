/** What the host's own configuration says of where SSH listens: the socket units of systemd, and `sshd -T`. */
import { findProgram, runSync } from "./command.ts";

const DEADLINE_MS = 10_000;
/** Units that only root names and writes. */
const SOCKET_UNITS = ["ssh.socket", "sshd.socket", "dropbear.socket"];

/**
 * Returns the ports on which systemd listens for SSH, or null where systemd cannot be asked. A unit that is switched
 * off listens nowhere.
 */
export function socketUnitPorts(): number[] | null {
  if (findProgram("systemctl") === undefined) return null;
  const text = said("systemctl", ["show", "--property=ActiveState,Listen", ...SOCKET_UNITS]);
  if (text === null) return null;
  const ports = text.split(/\n\n+/).flatMap((unit) => {
    if (!/^ActiveState=active$/m.test(unit)) return [];
    // `Listen=[::]:22 (Stream)` or `0.0.0.0:22 (Stream)`, one a line.
    return [...unit.matchAll(/^Listen=.*:(\d+) \(Stream\)$/gm)].map((match) => Number(match[1]));
  });
  return [...new Set(ports)];
}

/** Returns the ports that sshd(8) would listen on if it were started now; none where it cannot say. */
export function configuredPorts(): number[] {
  if (findProgram("sshd") === undefined) return [];
  const text = said("sshd", ["-T"]);
  if (text === null) return [];
  return [...new Set([...text.matchAll(/^port (\d+)$/gm)].map((match) => Number(match[1])))];
}

function said(program: string, words: readonly string[]): string | null {
  try {
    const { status, stdout } = runSync(program, words, { deadlineMs: DEADLINE_MS });
    return status === 0 ? stdout : null;
  } catch {
    return null;
  }
}
