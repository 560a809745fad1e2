/** A fix that is pasted into the host that fails, over SSH, by somebody who then logs in anew. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe as ended } from "../../support/host/command.ts";
import { commandsOf, isPasteable } from "../../../src/core/audit/fix/fix.ts";
import { said } from "./audit-on.ts";
import { type Door, type DoorWanted, type Login, startDoor } from "./door.ts";

export interface Row extends DoorWanted {
  readonly name: string;
  readonly check: string;
  /** How the operator comes in, before and after. */
  readonly login?: Login;
  /** Other logins that must work before and after as well. */
  readonly also?: readonly Login[];
  /** `pass`: commands are printed and the check holds after them. `words`: none is, and the words say this. */
  readonly outcome: "pass" | RegExp;
  /** What the fix says as well. */
  readonly says?: RegExp;
}

/** How a rented server's sshd often is: passwords and root. */
export const OPEN = "PermitRootLogin yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n";

/** Pastes the fix of a row, and holds what the row says. */
export async function paste(row: Row): Promise<void> {
  const { check, login = {}, also = [], outcome, says } = row;
  const door = await startDoor(row);
  try {
    for (const one of [login, ...also]) await comesIn(door, one, "before");
    if (check === "SSH-018") await door.host.shell("sed -i '1i Port 2222' /etc/ssh/sshd_config");
    const before = await door.audit(login, [check]);
    assert.equal(before[check]?.status, "fail", said(before, check));
    const fix = before[check].fix ?? "";
    if (says !== undefined) assert.match(unwrapped(fix), says);
    if (outcome !== "pass") {
      assert.match(unwrapped(fix), outcome);
      assert.deepEqual(commandsOf(fix), [], "nothing may be there to paste");
    } else assert.ok(isPasteable(fix) && commandsOf(fix).length > 0, fix);
    const pasted = await door.login(login, login.user === "ann" ? "sudo -n sh -e" : "sh -e", fix);
    assert.equal(pasted.code, 0, `${fix}\n${ended(pasted)}`);
    const logins = check === "SSH-018" ? [{ ...login, port: 2222 }] : [login, ...also];
    for (const one of logins) await comesIn(door, one, `after:\n${fix}`);
    if (fix.includes("seawall apply")) {
      const confirmed = await door.login(login, "seawall confirm");
      assert.equal(confirmed.code, 0, ended(confirmed));
    }
    const after = await door.audit(logins[0] ?? {}, [check]);
    assert.equal(after[check]?.status, outcome === "pass" ? "pass" : "fail", `${fix}\n${said(after, check)}`);
  } finally {
    await door.stop();
  }
}

/** Words are broken to fit the screen; what they say is not. */
function unwrapped(fix: string): string {
  return fix.replaceAll(/\n# (?! )/g, " ");
}

const TRIES_MAX = 50;
const TRY_STEP_MS = 200;

export async function comesIn(door: Door, login: Login, when: string): Promise<void> {
  let result = await door.login(login, "echo in");
  // An sshd that reads its settings anew closes its port for a moment.
  for (let tries = 1; tries < TRIES_MAX && /Connection refused/.test(result.stderr); tries += 1) {
    await sleep(TRY_STEP_MS);
    result = await door.login(login, "echo in");
  }
  assert.equal(result.stdout.trim(), "in", `${JSON.stringify(login)} ${when}\n${ended(result)}`);
}
