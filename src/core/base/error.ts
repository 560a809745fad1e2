/** Why the world said no. Every code is listed here and nowhere else; the CLI maps it to an exit code. */
export type SeawallErrorCode =
  | "SEAWALL_USAGE"
  | "SEAWALL_POLICY"
  | "SEAWALL_NOT_ROOT"
  | "SEAWALL_NOT_FOUND"
  | "SEAWALL_NO_NFT"
  | "SEAWALL_NFT_REFUSED"
  | "SEAWALL_NETLINK"
  | "SEAWALL_COMMAND"
  | "SEAWALL_LOCKOUT"
  | "SEAWALL_SCOPE"
  | "SEAWALL_GATE_MISSING"
  | "SEAWALL_GATE"
  | "SEAWALL_NOTHING_PENDING"
  | "SEAWALL_NOT_CONFIRMED"
  | "SEAWALL_ROLLED_BACK"
  | "SEAWALL_BUSY"
  | "SEAWALL_PANIC"
  | "SEAWALL_STATE"
  | "SEAWALL_STORE"
  | "SEAWALL_BACKUP"
  | "SEAWALL_INSTALL"
  | "SEAWALL_LAB";

export interface SeawallErrorOptions {
  /** The one command or action that helps. */
  readonly help?: string;
  /** What is still true, for example "the old rules are still in force". */
  readonly still?: string;
  readonly cause?: unknown;
}

/** An operational failure: what happened, what is still true, and what to do next. */
export class SeawallError extends Error {
  override readonly name = "SeawallError";
  readonly code: SeawallErrorCode;
  readonly help: string | null;
  readonly still: string | null;

  constructor(code: SeawallErrorCode, message: string, options: SeawallErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.help = options.help ?? null;
    this.still = options.still ?? null;
  }
}
