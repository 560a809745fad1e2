/** Who a scope is, where the kernel takes somebody else for it. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";
import { folded } from "./fold.ts";

/** Before everything else: what the screen says of a scope is said of those whom the kernel judges. */
export function alarmLines({ alarms }: Status): string[] {
  return alarms.flatMap(({ said, help }) => folded("ALARM", plain(`${said}; ${help}`)));
}
