/** What is known about the processes of a scope: everything by which they could send as somebody else. */

/** A fact, or why it is not known. An unknown fact is never a good one. */
export type Fact<Value> =
  | { readonly known: true; readonly value: Value }
  | { readonly known: false; readonly why: string };

export function known<Value>(value: Value): Fact<Value> {
  return { known: true, value };
}

export function unknown(why: string): { readonly known: false; readonly why: string } {
  return { known: false, why };
}

/** One command that sudo would run for the account as another user. */
export interface SudoRight {
  /** What may be run, `ALL` or a path with parameters. */
  readonly command: string;
  /** As whom, `root` when the rule names nobody. */
  readonly as: string;
  /** Whether it is run without a password (NOPASSWD). */
  readonly free: boolean;
}

/** A polkit rule of the administrator. `sure`: it names the account or a group of it and says yes. */
export interface PolkitRule {
  readonly file: string;
  readonly sure: boolean;
}

/** Something that root runs, reads or trusts, and that the account can change. */
export interface RootFile {
  readonly path: string;
  /** What it is: `unit`, `cron job` ... */
  readonly what: string;
}

/** A way to have a process of the same user started elsewhere: outside a unit, cgroup or network namespace. */
export interface Starter {
  readonly kind: "user-manager" | "cron" | "at" | "ssh";
  readonly evidence: string;
}

/** Another user's account that the account can enter over SSH or by changing its files. */
export interface OtherAccount {
  readonly user: string;
  readonly evidence: string;
}

/** What moves with the agent. */
export interface Belongings {
  /** The home of the user that it runs as now. */
  readonly home: string;
  /** The gateway's unit of the user's own manager, or null. */
  readonly unit: string | null;
  /** Names of users that are taken. */
  readonly newUser: string;
}

/** One user that the processes of a scope run as. */
export interface AccountFacts {
  readonly uid: number;
  /** Null when passwd has no name for it. */
  readonly name: string | null;
  readonly groups: Fact<readonly string[]>;
  readonly sudo: Fact<readonly SudoRight[]>;
  /** Lines of doas.conf that permit it something. */
  readonly doas: Fact<readonly string[]>;
  readonly polkit: Fact<readonly PolkitRule[]>;
  /** Sockets of container runtimes that it can write to. */
  readonly sockets: Fact<readonly string[]>;
  /** Disks and memory that it can write to. */
  readonly devices: Fact<readonly string[]>;
  readonly rootFiles: Fact<readonly RootFile[]>;
  readonly otherAccounts: Fact<readonly OtherAccount[]>;
  /** Other accounts by which somebody can still administer this machine: with sudo and a way in, or root's password. */
  readonly otherAdmins: Fact<readonly string[]>;
  /** What would move with the agent to a user of its own; null where there is no OpenClaw in its home. */
  readonly belongings: Belongings | null;
  /** Signs that a person logs in as this user. */
  readonly person: Fact<readonly string[]>;
  readonly starters: Fact<readonly Starter[]>;
  /** Cgroups outside the scope whose `cgroup.procs` it can write to. */
  readonly cgroups: Fact<readonly string[]>;
}

/** A process of the scope's users. */
export interface ProcessFacts {
  readonly pid: number;
  readonly command: string;
  /** The program it runs, as the kernel knows it; null when it does not say. */
  readonly program: string | null;
  readonly uid: number;
  /** Effective, permitted and ambient capabilities in the machine's own user namespace (capabilities(7)). */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** Whether the scope judges it. */
  readonly inScope: boolean;
}

/** A program that runs with more rights than who starts it. */
export interface ProgramFacts {
  readonly path: string;
  readonly kind: "setuid" | "setgid" | "capability";
  /** The owner, the group, or the capabilities as getcap(8) prints them. */
  readonly gives: readonly string[];
  /** Whether a package of the distribution has the file; null when nobody could say. */
  readonly packaged: boolean | null;
}

/** A container of a scope's network. */
export interface ContainerFacts {
  readonly name: string;
  readonly privileged: boolean;
  /** Namespaces that it shares with the machine: `pid`, `net` ... */
  readonly shared: readonly string[];
  /** Capabilities beyond those that every container has, without `cap_`. */
  readonly capabilities: readonly string[];
  /** Paths of the machine that it can write to or, for sockets, connect to. */
  readonly mounts: readonly string[];
  /** Networks that it is in beside the scope's. */
  readonly otherNetworks: readonly string[];
  /** Resolvers on this machine's loopback that dockerd asks for it, which looks like dockerd's own question. */
  readonly hostResolvers: readonly string[];
}

export type ContainmentFacts =
  | HostFacts
  | { readonly boundary: "container"; readonly containers: Fact<readonly ContainerFacts[]> };

export interface HostFacts {
  /** `user`: judged by uid wherever it runs. `place`: judged by cgroup or network namespace. */
  readonly boundary: "user" | "place";
  readonly accounts: Fact<readonly AccountFacts[]>;
  readonly processes: Fact<readonly ProcessFacts[]>;
  /** Programs of this machine with more rights than who starts them. */
  readonly programs: Fact<readonly ProgramFacts[]>;
  /** Accounts that need no password. */
  readonly withoutPassword: Fact<readonly string[]>;
}

export type Effect = "escapes" | "partial" | "unknown";

export interface Reason {
  /** Stable, for scripts: `sudo`, `group`, `runtime-socket` ... */
  readonly id: string;
  readonly sentence: string;
  readonly evidence: string;
  /** What ends it, a command where one does. */
  readonly cure: string;
  readonly effect: Effect;
}

export interface Containment {
  readonly grade: "contained" | "partly" | "not-contained" | "unknown";
  readonly reasons: readonly Reason[];
}
