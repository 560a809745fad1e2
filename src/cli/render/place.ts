/** Files and variables that commands read or write, as `--help` and the manual describe them. */
interface PlaceText {
  /** What it is called on the left: a path, or a variable. */
  readonly name: string;
  readonly what: string;
  /** The variable that moves it. */
  readonly movedBy?: keyof typeof MOVERS;
}

export const MOVERS = {
  SEAWALL_CONFIG_DIR: "the folder to use instead of /etc/seawall",
  SEAWALL_STATE_DIR: "the folder to use instead of /var/lib/seawall",
  SEAWALL_RUN_DIR: "the folder to use instead of /run/seawall",
  SEAWALL_OPENCLAW_HOME: "the only home to look for OpenClaw in",
} as const;

export const PLACES = {
  policy: {
    name: "/etc/seawall/policy.yaml",
    what: "the policy when no file is named, with policy.d/*.yaml beside it",
    movedBy: "SEAWALL_CONFIG_DIR",
  },
  word: {
    name: "/etc/seawall/audit.yaml",
    what: "waivers and statements of the audit",
    movedBy: "SEAWALL_CONFIG_DIR",
  },
  history: {
    name: "/var/lib/seawall/history/",
    what: "every policy that was applied, the newest 50",
    movedBy: "SEAWALL_STATE_DIR",
  },
  events: {
    name: "/var/lib/seawall/events.db",
    what: "the log of connections",
    movedBy: "SEAWALL_STATE_DIR",
  },
  audits: {
    name: "/var/lib/seawall/audit/",
    what: "the audits that were kept",
    movedBy: "SEAWALL_STATE_DIR",
  },
  run: {
    name: "/run/seawall/",
    what: "the lock of changes and the sockets of seawalld",
    movedBy: "SEAWALL_RUN_DIR",
  },
  library: { name: "/usr/lib/seawall/", what: "the installed program, and manifest.json: what install made" },
  kernel: { name: "table inet seawall", what: "all that Seawall has in the kernel" },
  accounts: { name: "/etc/passwd, /etc/subuid", what: "who the users of the scopes are" },
  resolver: { name: "/etc/resolv.conf", what: "the resolvers that the gates ask" },
  openclaw: {
    name: "~/.openclaw/openclaw.json",
    what: "OpenClaw's configuration, of every user that has one",
    movedBy: "SEAWALL_OPENCLAW_HOME",
  },
  operator: { name: "SUDO_USER, LOGNAME", what: "who asks; it is kept with the change" },
  color: { name: "NO_COLOR", what: "no colours; nor with TERM=dumb, nor into a pipe" },
} as const satisfies Readonly<Record<string, PlaceText>>;

export type PlaceName = keyof typeof PLACES;

/** Returns name and text of places, and of the variables that move them, each once. */
export function placeLines(names: readonly PlaceName[]): [string, string][] {
  const places: readonly PlaceText[] = names.map((name) => PLACES[name]);
  const movers = new Set(places.flatMap(({ movedBy }) => movedBy ?? []));
  return [
    ...places.map(({ name, what }): [string, string] => [name, what]),
    ...[...movers].map((name): [string, string] => [name, MOVERS[name]]),
  ];
}
