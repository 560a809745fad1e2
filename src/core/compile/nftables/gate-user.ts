/** Who the gates are to the kernel. Nothing else, so that `status` loads nothing else. */

/** The name of the user that the gates run as, and the uid where there is no such user. */
export const GATE_USER = "seawall-gate";
export const GATE_UID = 64_953;
