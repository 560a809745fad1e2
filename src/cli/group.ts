/** The commands by what somebody wants, in the order of the overview and of the manual. */
export interface CommandGroup {
  readonly title: string;
  /** Words of the commands; a test holds that each command is in one group. */
  readonly commands: readonly string[];
}

export const GROUPS: readonly CommandGroup[] = [
  { title: "see what is so now", commands: ["status", "flows", "explain", "history"] },
  {
    title: "change what may pass",
    commands: ["init", "policy check", "apply", "confirm", "allow", "block", "approve"],
  },
  { title: "the way back", commands: ["rollback", "panic", "pause", "rescue", "down"] },
  {
    title: "prove and audit",
    commands: [
      "prove",
      "probe",
      "audit",
      "audit diff",
      "audit history",
      "audit waive",
      "audit attest",
      "checks list",
      "checks show",
      "lab",
    ],
  },
  {
    title: "keep it running, look inside",
    commands: [
      "install",
      "uninstall",
      "attach",
      "daemon",
      "gate",
      "policy fmt",
      "policy migrate",
      "policy schema",
      "evaluate",
      "compile",
      "backup",
      "restore",
      "support",
      "version",
      "help",
      "completion",
    ],
  },
];
