/** Looks every half minute whether anybody can still log in: sshd may be told another port at any time. */
import { noSshNow } from "../apply/no-ssh.ts";
import type { Folders } from "../edge/state/folder.ts";
import { createGuard } from "./guarded.ts";
import type { Say } from "./say.ts";

const LOOK_STEP_MS = 30_000;

/** Watches until `stop`. What is found is said once, and said when it is over. The first look is at once. */
export function startSshWatch(
  folders: Folders,
  nowMs: () => number,
  say: Say,
): { readonly stop: () => void } {
  let said: string | null = null;
  const look = createGuard(say).callback("whether anybody can log in was not looked at", () => {
    const found = noSshNow(folders, nowMs());
    const text =
      found === null ? null : `${found.said}; write under inbound: ${found.rule}; then: sudo seawall apply`;
    if (text === said) return;
    say(text ?? "somebody can log in over SSH again");
    said = text;
  });
  look();
  const timer = setInterval(look, LOOK_STEP_MS);
  return { stop: () => clearInterval(timer) };
}
