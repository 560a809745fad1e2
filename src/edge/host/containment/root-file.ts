/** What root runs, reads or trusts, and whether a user can change it. */
import type { RootFile } from "../../../core/containment/facts.ts";
import type { Account } from "./machine.ts";
import { mayReplace, mayWrite } from "./permission.ts";
import type { Trail, Tree } from "./tree.ts";

/** LIMIT: files looked at below one folder of configuration, and how deep. */
const FILES_MAX = 2_000;
const DEPTH_MAX = 2;

/** Single files and folders that decide who is root, by what they are. A missing one counts where it could be made. */
const TRUSTED: readonly (readonly [what: string, paths: readonly string[]])[] = [
  ["of root's PATH", ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]],
  ["library", ["/usr/lib", "/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.preload", "/etc/ld.so.conf"]],
  [
    "accounts",
    ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/nsswitch.conf"],
  ],
  ["sudoers", ["/etc/sudoers", "/etc/doas.conf"]],
  ["cron job", ["/etc/crontab", "/etc/anacrontab", "/var/spool/cron/crontabs", "/var/spool/cron"]],
  ["login", ["/etc/profile", "/etc/bash.bashrc", "/etc/environment", "/etc/ssh/sshd_config"]],
  ["root's own", ["/root", "/root/.ssh", "/root/.ssh/authorized_keys", "/root/.bashrc", "/root/.profile"]],
  ["Seawall's own", ["/etc/seawall", "/var/lib/seawall", "/usr/lib/seawall", "/opt/seawall"]],
];

/** Folders whose every file counts. */
const FOLDERS: readonly (readonly [what: string, paths: readonly string[]])[] = [
  [
    "unit",
    [
      "/etc/systemd/system",
      "/run/systemd/system",
      "/usr/local/lib/systemd/system",
      "/usr/lib/systemd/system",
    ],
  ],
  ["generator", ["/etc/systemd/system-generators", "/usr/local/lib/systemd/system-generators"]],
  ["sudoers", ["/etc/sudoers.d"]],
  [
    "cron job",
    ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly"],
  ],
  ["library", ["/etc/ld.so.conf.d"]],
  [
    "login",
    ["/etc/profile.d", "/etc/pam.d", "/etc/security", "/etc/update-motd.d", "/etc/ssh/sshd_config.d"],
  ],
  ["polkit rule", ["/etc/polkit-1/rules.d"]],
  ["D-Bus rule", ["/etc/dbus-1/system.d"]],
  ["device rule", ["/etc/udev/rules.d", "/etc/modprobe.d"]],
  [
    "start script",
    ["/etc/init.d", "/etc/rc.local", "/etc/network/if-up.d", "/etc/NetworkManager/dispatcher.d"],
  ],
  ["maintenance", ["/etc/apt/apt.conf.d", "/etc/logrotate.d", "/etc/default"]],
];

const UNIT_FOLDERS = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"];

/** What there is to look at, the same for every account of the tree. */
export interface RootFiles {
  readonly files: readonly { readonly trail: Trail; readonly what: string; readonly replaceable: boolean }[];
  /** Devices of disks and memory. */
  readonly devices: readonly Trail[];
}

/** Returns every file by which one becomes root, with the way to it. */
export function readRootFiles(tree: Tree): RootFiles {
  const trusted = TRUSTED.flatMap(([what, paths]) =>
    paths.map((path) => ({ trail: tree.trail(path), what, replaceable: true })),
  );
  const listed = FOLDERS.flatMap(([what, folders]) =>
    folders.flatMap((folder) =>
      below(tree, folder).map((path) => ({ trail: tree.trail(path), what, replaceable: false })),
    ),
  );
  const run = commandsOfRoot(tree).map(({ path, what }) => ({
    trail: tree.trail(path),
    what,
    replaceable: true,
  }));
  return { files: [...trusted, ...listed, ...run], devices: devicesOf(tree) };
}

/** Returns those that an account can change, each once. */
export function changeable({ files }: RootFiles, account: Account): RootFile[] {
  const found = new Map<string, RootFile>();
  for (const { trail, what, replaceable } of files) {
    // A masked unit is a link to /dev/null.
    if (trail.found?.isCharacterDevice() === true) continue;
    // Of a file in a folder that is looked at by itself only the file counts; of the others the whole way.
    const may = replaceable ? mayReplace(trail, account) : mayWrite(trail, account);
    if (may && !found.has(trail.path)) found.set(trail.path, { path: trail.path, what });
  }
  return [...found.values()];
}

/** Returns the disks that an account can write to. */
export function writableDevices({ devices }: RootFiles, account: Account): string[] {
  return devices.filter((trail) => mayWrite(trail, account)).map(({ path }) => path);
}

function devicesOf(tree: Tree): Trail[] {
  return tree
    .names("/dev")
    .map((name) => tree.trail(`/dev/${name}`))
    .filter(({ found, path }) => found?.isBlockDevice() === true || /^\/dev\/(mem|kmem|port)$/.test(path))
    .filter(({ path }) => !/^\/dev\/(loop|zram|ram|sr|fd)\d/.test(path));
}

/** The folder itself and what is in it, DEPTH_MAX deep. */
function below(tree: Tree, folder: string): string[] {
  const paths = [folder];
  let level = [folder];
  for (let depth = 0; depth < DEPTH_MAX && paths.length < FILES_MAX; depth += 1) {
    level = level.flatMap((at) => tree.names(at).map((name) => `${at}/${name}`));
    paths.push(...level);
    level = level.filter((path) => tree.trail(path).found?.isDirectory() === true);
  }
  return paths.slice(0, FILES_MAX);
}

/** The programs and scripts that root's units and cron jobs name by absolute path. */
function commandsOfRoot(tree: Tree): RootFile[] {
  const units = UNIT_FOLDERS.flatMap((folder) => below(tree, folder))
    .filter((path) => /\.(service|conf)$/.test(path))
    .flatMap((path) => execLines(tree, path));
  const jobs = ["/etc/crontab", ...below(tree, "/etc/cron.d").slice(1)].flatMap((path) =>
    (tree.text(path) ?? "")
      .split("\n")
      .filter((line) => /^\s*(?:\S+\s+){5}root\s|^\s*@\w+\s+root\s/.test(line)),
  );
  const own = ["/var/spool/cron/crontabs/root", "/var/spool/cron/root"].flatMap((path) =>
    (tree.text(path) ?? "").split("\n").filter((line) => /^\s*[0-9*@]/.test(line)),
  );
  return [
    ...units.flatMap(programsOf).map((path) => ({ path, what: "run by a unit of root" })),
    ...[...jobs, ...own].flatMap(programsOf).map((path) => ({ path, what: "run by cron as root" })),
  ];
}

/** Of a unit with `User=` only lines that run as root all the same (`+`, `!`: systemd.service(5)). */
function execLines(tree: Tree, path: string): string[] {
  const text = tree.text(path) ?? "";
  const isUsers = /^User=(?!root$|0$)./m.test(text) || /^DynamicUser=(yes|true|1|on)/m.test(text);
  // A drop-in says nothing of the user of its unit; the unit is looked at by itself.
  if (path.endsWith(".conf") && !isUsers && unitHasUser(tree, path)) return [];
  return [...text.matchAll(/^Exec[A-Za-z]+=(.*)$/gm)]
    .map(([, command = ""]) => command)
    .filter((command) => !isUsers || /^[-@:]*[+!]/.test(command));
}

function unitHasUser(tree: Tree, dropIn: string): boolean {
  const unit = dropIn.replace(/\.d\/[^/]+$/, "");
  return /^User=(?!root$|0$)./m.test(tree.text(unit) ?? "");
}

/** Programs that run what they are told to: then every path they are given counts. */
const RUNNERS =
  /^(?:.*\/)?(?:(?:ba|da|z|k)?sh|python[0-9.]*|perl|ruby|node|nodejs|php|env|nice|ionice|flock|timeout|setpriv|runuser|nohup|run-parts|source|\.|exec)$/;

/** Returns the absolute paths that a command line runs, as far as words tell. */
function programsOf(line: string): string[] {
  return line.split(/[;&|()`]+/).flatMap((piece) => {
    const words = piece
      .replaceAll(/["']/g, " ")
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^[-@:+!|]+(?=\/)/, ""))
      .filter((word) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word));
    const at = words.findIndex((word) => word.startsWith("/") || RUNNERS.test(word));
    const program = words[at];
    if (program === undefined) return [];
    const run = RUNNERS.test(program) ? words.slice(at) : [program];
    return run.filter((word) => /^\/[A-Za-z0-9_.@/+-]+$/.test(word));
  });
}
