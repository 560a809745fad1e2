import { GATE_UID, GATE_USER } from "../../core/compile/nftables/gate-user.ts";
import { readAccounts } from "./accounts.ts";

/** Returns the uid of the gates on this machine. */
export function gateUid(): number {
  return readAccounts().uidOf(GATE_USER) ?? GATE_UID;
}
