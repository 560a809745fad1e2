/** What apt would do and did: its own settings, archives, what waits and its stamps. */
import type { UpdateFacts } from "../../core/audit/fact/update.ts";
import { parseAptConfig, parseAptPolicy, parseUpgradable, supportEnd } from "../../core/audit/read/apt.ts";
import { securitySources, unsignedSources } from "../../core/audit/read/apt-source.ts";
import { shellSetting } from "../../core/audit/read/ufw.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { type Answer, findProgram } from "../host/command.ts";
import { ask } from "./ask.ts";
import { namesIn, stateAt, textOf } from "./file.ts";
import { hasSystemd, unitStates } from "./systemd.ts";

const LIST_DEADLINE_MS = 20_000;
const STAMPS = "/var/lib/apt/periodic";
const LISTS = "/var/lib/apt/lists";
const CACHE = "/var/cache/apt/pkgcache.bin";
/** apt writes its cache anew when it is old: then it is told to do without, so that the audit writes nothing. */
const NO_CACHE = ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="];

export async function readUpdates(): Promise<Reading<UpdateFacts>> {
  if (findProgram("apt-get") === undefined) return absent("this host does not use apt");
  const cache = isCacheFresh() ? [] : NO_CACHE;
  const [config, policy, upgradable, timers] = await Promise.all([
    ask("apt-config", ["dump"]),
    ask("apt-cache", [...cache, "policy"]),
    ask("apt", [...cache, "list", "--upgradable"], { deadlineMs: LIST_DEADLINE_MS }),
    readTimers(),
  ]);
  const settings = parseAptConfig(config?.stdout ?? "");
  const release = readRelease();
  return read({
    settings,
    unattendedInstalled: isInstalled("unattended-upgrades"),
    archives: answered(policy, "apt-cache policy", (text) => parseAptPolicy(text)),
    pending: answered(upgradable, "apt list --upgradable", (text) => parseUpgradable(text)),
    timers,
    lastRunMs: newest([`${STAMPS}/unattended-upgrades-stamp`, `${STAMPS}/upgrade-stamp`]),
    // Files of the lists have the times of their archive; the folder they are fetched to has ours.
    listsMs: newest([`${STAMPS}/update-success-stamp`, `${STAMPS}/update-stamp`, `${LISTS}/partial`]),
    rebootRequiredMs: newest(["/run/reboot-required", "/var/run/reboot-required"]),
    needrestart: readNeedrestart(),
    securitySources: sources().flatMap(({ path, text }) => securitySources(path, text)),
    unsigned: [
      ...sources().flatMap(({ path, text }) => unsignedSources(path, text)),
      ...unsignedSettings(settings),
    ],
    release,
    supportEnds: supportEnd(textOf(`/usr/share/distro-info/${release.id}.csv`), release.codename),
  });
}

function isCacheFresh(): boolean {
  const cached = stateAt(CACHE)?.mtimeMs ?? 0;
  return cached >= (newest([LISTS, "/var/lib/dpkg/status"]) ?? Number.POSITIVE_INFINITY);
}

function answered<Value>(
  answer: Answer | undefined,
  program: string,
  parse: (text: string) => Value,
): Reading<Value> {
  if (answer?.status === 0) return read(parse(answer.stdout));
  const why =
    answer === undefined
      ? "cannot be run"
      : answer.cut
        ? "took too long"
        : (answer.stderr.trim().split("\n")[0] ?? "fails");
  return unreadable(`${program}: ${why}`, program);
}

async function readTimers(): Promise<UpdateFacts["timers"]> {
  const units = ["apt-daily.timer", "apt-daily-upgrade.timer"];
  if (hasSystemd()) {
    const states = await unitStates(units);
    if (states === undefined)
      return unreadable("systemctl does not answer", "systemctl list-timers apt-daily*");
    const wrong = units
      .filter((unit) => states.get(unit)?.active !== "active")
      .map(
        (unit) =>
          `${unit} is ${states.get(unit)?.load === "masked" ? "masked" : (states.get(unit)?.active ?? "unknown")}`,
      );
    return read({
      active: wrong.length === 0,
      how: wrong.length === 0 ? `${units.join(" and ")} are active` : wrong.join(", "),
    });
  }
  const cron = stateAt("/etc/cron.daily/apt-compat");
  const runs = namesIn("/proc").some(
    (name) => /^\d+$/.test(name) && /^(cron|anacron|crond)$/.test(textOf(`/proc/${name}/comm`).trim()),
  );
  if (cron !== undefined && (cron.mode & 0o111) !== 0 && runs)
    return read({ active: true, how: "cron runs /etc/cron.daily/apt-compat" });
  return read({
    active: false,
    how: runs
      ? "cron runs, and /etc/cron.daily/apt-compat is not there"
      : "neither systemd nor cron runs here: nothing starts it",
  });
}

/** dpkg keeps the files of what is installed and configured. */
function isInstalled(name: string): boolean {
  const stanza = new RegExp(`^Package: ${name}\\n(?:.+\\n)*?Status: (.+)$`, "m").exec(
    textOf("/var/lib/dpkg/status"),
  );
  if (stanza !== null) return stanza[1]?.endsWith(" installed") === true;
  return stateAt(`/var/lib/dpkg/info/${name}.list`) !== undefined;
}

function newest(paths: readonly string[]): number | null {
  const times = paths.flatMap((path) => stateAt(path)?.mtimeMs ?? []);
  return times.length === 0 ? null : Math.max(...times);
}

function readNeedrestart(): UpdateFacts["needrestart"] {
  const installed = findProgram("needrestart") !== undefined;
  const files = [
    "/etc/needrestart/needrestart.conf",
    ...namesIn("/etc/needrestart/conf.d")
      .filter((name) => name.endsWith(".conf"))
      .map((name) => `/etc/needrestart/conf.d/${name}`),
  ];
  const text = files
    .map(textOf)
    .join("\n")
    .replaceAll(/^\s*#.*$/gm, "");
  const mode = [...text.matchAll(/\$nrconf\{restart\}\s*=\s*'([a-z])'/g)].at(-1)?.[1];
  // Ubuntu 24.04 and later restart by themselves in an unattended run, also without the setting.
  const ubuntuDefault = mode === undefined && /^ID=ubuntu$/m.test(textOf("/etc/os-release"));
  return {
    installed,
    automatic: mode === "a" || ubuntuDefault,
    spares: /override_rc\}?\{?.*openclaw/i.test(text),
  };
}

function sources(): { readonly path: string; readonly text: string }[] {
  const folder = "/etc/apt/sources.list.d";
  const paths = [
    "/etc/apt/sources.list",
    ...namesIn(folder)
      .filter((name) => /\.(list|sources)$/.test(name))
      .map((name) => `${folder}/${name}`),
  ];
  return paths.map((path) => ({ path, text: textOf(path) }));
}

function unsignedSettings(settings: ReadonlyMap<string, readonly string[]>): string[] {
  return [
    "APT::Get::AllowUnauthenticated",
    "Acquire::AllowInsecureRepositories",
    "Acquire::AllowWeakRepositories",
  ].flatMap((key) => {
    const value = settings.get(key)?.at(-1) ?? "";
    return /^(1|true|yes|on)$/i.test(value) ? [`${key} is "${value}"`] : [];
  });
}

function readRelease(): UpdateFacts["release"] {
  const text = textOf("/etc/os-release");
  return {
    id: shellSetting(text, "ID"),
    codename: shellSetting(text, "VERSION_CODENAME"),
    version: shellSetting(text, "VERSION_ID"),
    name: shellSetting(text, "PRETTY_NAME") || "this release",
  };
}
