/** The one line that confirms: a login of its own, ready to paste, from what the kernel knows of how we are reached. */
import { isPublicIp } from "../core/net/address-class.ts";
import { formatIp } from "../core/net/ip.ts";
import { readAccounts } from "../edge/host/accounts.ts";
import { loginUidOf, type SshConnection } from "../edge/host/ssh-session.ts";
import { type IsScope, reachOfCaller } from "./operator.ts";
import { sshWays } from "./ssh-way.ts";

const SSH_PORT = 22;
/** fe80::/10: an address that means nothing without the interface of whoever uses it. */
const LINK_LOCAL = { first: 0xfe80n << 112n, last: (0xfec0n << 112n) - 1n };

export interface ConfirmWay {
  readonly user: string | null;
  /** An address that the operator's machine has reached this one by; null where none is known. */
  readonly address: string | null;
  readonly port: number;
}

/** The line with nothing known: `you` and `server` are the reader's to fill in. */
export const CONFIRM_LINE = confirmLine({ user: null, address: null, port: SSH_PORT });

/**
 * Returns the line. `-t`: sudo may ask for a password. `ControlPath=none`: a shared connection would be an old one.
 */
export function confirmLine({ user, address, port }: ConfirmWay): string {
  const place = port === SSH_PORT ? "" : ` -p ${port}`;
  const sudo = user === "root" ? "" : "sudo ";
  return `ssh -t -o ControlPath=none${place} ${user ?? "you"}@${address ?? "server"} ${sudo}seawall confirm`;
}

/** Returns the line for whoever calls this. Never throws: what cannot be found out is left to the reader. */
export function confirmLineHere(env: Readonly<Record<string, string | undefined>>, isScope: IsScope): string {
  try {
    const { connections, began, uid } = reachOfCaller(isScope);
    const connection = connections[0] ?? began[0];
    return confirmLine({ user: userName(uid, env), ...placeOf(connection) });
  } catch {
    return CONFIRM_LINE;
  }
}

/** Who came: by their server's word, by the kernel's, and at last by sudo's, where that is an account. */
function userName(uid: number | null, env: Readonly<Record<string, string | undefined>>): string | null {
  const accounts = readAccounts();
  const guesses = [uid, loginUidOf(process.pid), Number(env["SUDO_UID"] ?? Number.NaN)];
  const names = guesses.flatMap((one) => (one == null ? [] : (accounts.nameOf(one) ?? [])));
  return names[0] ?? null;
}

function placeOf(connection: SshConnection | undefined): Omit<ConfirmWay, "user"> {
  if (connection === undefined) return { address: null, port: sshWays()[0]?.port ?? SSH_PORT };
  const { local, localPort, peer } = connection;
  const isLinkLocal = local.family === 6 && local.value >= LINK_LOCAL.first && local.value <= LINK_LOCAL.last;
  // Somebody between translates: from there this machine has another address.
  const isTranslated = isPublicIp(peer) && !isPublicIp(local);
  return {
    address: isLinkLocal || isTranslated ? null : formatIp(local),
    port: isTranslated ? SSH_PORT : localPort,
  };
}
