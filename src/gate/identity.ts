/** Who the gates are: a user of their own, without any right, from the moment they have bound and read. */
import process from "node:process";
import { SeawallError } from "../core/base/error.ts";

/** Gives up root for good. Does nothing for anybody else. Refuses when it does not hold. */
export function dropRoot(uid: number): void {
  const { setgroups, setgid, setuid, geteuid } = process;
  if (geteuid?.() !== 0 || setgroups === undefined || setgid === undefined || setuid === undefined) return;
  setgroups.call(process, []);
  setgid.call(process, uid);
  setuid.call(process, uid);
  try {
    setuid.call(process, 0);
  } catch {
    return;
  }
  throw new SeawallError("SEAWALL_GATE", "the gate could not give up root", { still: "it did not start" });
}
