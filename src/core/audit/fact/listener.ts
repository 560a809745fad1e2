/** A socket that takes connections, as the kernel lists it (proc(5) /proc/net/tcp, udp). */
export interface Listener {
  readonly protocol: "tcp" | "udp";
  /** `0.0.0.0`, `::`, `127.0.0.1` ... */
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  /** Who holds it; null when that could not be seen. */
  readonly pid: number | null;
  readonly program: string | null;
}

/** A line of passwd(5), with what shadow(5), group(5) and sudo say about it. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  readonly groups: readonly string[];
  /** `empty`: logs in without a password; null when shadow could not be read. */
  readonly password: "empty" | "locked" | "set" | null;
}

const LOOPBACK = /^(127\.|::1$)/;

/** Whether only this host reaches it. */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK.test(address);
}

/** `0.0.0.0:22 (sshd)` */
export function listenerText(listener: Listener): string {
  const address = listener.address.includes(":") ? `[${listener.address}]` : listener.address;
  const program = listener.program === null ? "" : ` (${listener.program})`;
  return `${listener.protocol} ${address}:${listener.port}${program}`;
}
