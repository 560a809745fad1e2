/** How much processor time a program has used: unlike a rate it hardly changes when others use the machine. */
import { readFileSync } from "node:fs";

/** proc(5): /proc/PID/stat counts in ticks of 1/USER_HZ, which is 100 on Linux. */
const TICK_US = 10_000;
/** After the name in brackets, which may hold anything, come the fields from the third on; utime is the 14th. */
const USER_TICKS_AT = 11;
const SYSTEM_TICKS_AT = 12;

/** Returns the microseconds that a process and those it started have used, all threads together. */
export function processorUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[USER_TICKS_AT]) + Number(fields[SYSTEM_TICKS_AT]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  const below = children === "" ? [] : children.split(" ").map(Number);
  return below.reduce((sum, child) => sum + processorUs(child), ticks * TICK_US);
}
