import { GATE_UID, GATE_USER } from "../../core/compile/nftables/gate-user.ts";
import { readAccounts } from "./accounts.ts";

/** Returns the uid of the gates on this machine. */
export function gateUid(): number {
  return readAccounts().uidOf(GATE_USER) ?? GATE_UID;
}

/** Whether there is a user of that name, so that nobody else is given the number. */
export function hasGateUser(): boolean {
  return readAccounts().uidOf(GATE_USER) !== undefined;
}
