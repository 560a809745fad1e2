/** Names that the kernel and everybody who reads it share; nothing else, so that `status` loads nothing else. */
export const TABLE = "seawall";
export const LEASE_SET = "lease";
