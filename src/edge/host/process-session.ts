/** Sessions of processes, as setsid(2) makes them: who is in one, and how all of it is ended. */
import process from "node:process";
import { processIds, statOf } from "./proc.ts";

/** LIMIT: rounds of looking for who is left; each finds what the round before was too early for. */
const ROUNDS_MAX = 8;

/** Ends every process of the session that `leader` leads: its group first, then whoever left the group. */
export function endSession(leader: number): void {
  if (leader <= 1) return;
  endOne(-leader);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const left = membersOf(leader);
    if (left.length === 0) return;
    for (const pid of left) endOne(pid);
  }
}

function endOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Processes whose session is that of `leader`, the dead that nobody waited for aside. */
function membersOf(leader: number): number[] {
  return processIds().filter((pid) => {
    const stat = statOf(pid);
    return stat !== undefined && !stat.isDead && stat.session === leader;
  });
}
