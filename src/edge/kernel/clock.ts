/** Whether the machine knows the time: after a start without a battery or a network it does not. */
import { existsSync } from "node:fs";
import { libc } from "./netlink/libc.ts";

/** systemd-timesyncd(8): touched when the clock was set from the network. */
const SYNCHRONIZED = "/run/systemd/timesync/synchronized";
/** adjtimex(2): nobody keeps the clock right. */
const TIME_ERROR = 5;
const TIMEX_BYTES = 208;

/** Returns whether somebody keeps the clock right: the kernel says so, or systemd-timesyncd does. */
export function isClockSet(): boolean {
  if (existsSync(SYNCHRONIZED)) return true;
  const state = libc().adjtimex(new Uint8Array(TIMEX_BYTES));
  return state >= 0 && state !== TIME_ERROR;
}
