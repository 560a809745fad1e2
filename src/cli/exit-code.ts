import { unreachable } from "../core/base/assert.ts";
import type { SeawallErrorCode } from "../core/base/error.ts";

/** What a script can rely on; the same for every command. */
export const EXIT = {
  ok: 0,
  findings: 1,
  unusable: 2,
  notFound: 3,
  noDaemon: 4,
  needsRoot: 5,
  rolledBack: 6,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means whatever the command. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "findings, failed tests or differences",
  2: "bad usage, bad policy, or it could not be done",
  3: "not found",
  4: "the daemon is not reachable",
  5: "needs root",
  6: "rolled back",
};

export function exitCodeOf(code: SeawallErrorCode): ExitCode {
  switch (code) {
    case "SEAWALL_NOT_ROOT":
      return EXIT.needsRoot;
    case "SEAWALL_NOT_FOUND":
      return EXIT.notFound;
    case "SEAWALL_ROLLED_BACK":
      return EXIT.rolledBack;
    case "SEAWALL_USAGE":
    case "SEAWALL_POLICY":
    case "SEAWALL_NO_NFT":
    case "SEAWALL_NFT_REFUSED":
    case "SEAWALL_NETLINK":
    case "SEAWALL_COMMAND":
    case "SEAWALL_LOCKOUT":
    case "SEAWALL_SCOPE":
    case "SEAWALL_GATE_MISSING":
    case "SEAWALL_GATE":
    case "SEAWALL_NOTHING_PENDING":
    case "SEAWALL_NOT_CONFIRMED":
    case "SEAWALL_BUSY":
    case "SEAWALL_PANIC":
    case "SEAWALL_STATE":
    case "SEAWALL_STORE":
    case "SEAWALL_BACKUP":
    case "SEAWALL_INSTALL":
    case "SEAWALL_LAB":
      return EXIT.unusable;
    default:
      return unreachable(code);
  }
}
