/** How seawalld is started on this machine. */
import { existsSync } from "node:fs";

const UNITS = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/** Returns the command that starts it: the unit where one is installed and systemd runs, else the program itself. */
export function startDaemonCommand(): string {
  const hasUnit = UNITS.some((folder) => existsSync(`${folder}/seawalld.service`));
  return hasUnit && existsSync("/run/systemd/system")
    ? "sudo systemctl start seawalld"
    : "sudo seawall daemon &";
}
