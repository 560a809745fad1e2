/** Programs that run with more rights than who starts them. */
import { isOrdinaryProgram } from "../../../core/containment/baseline.ts";
import { type Fact, known, type ProgramFacts, unknown } from "../../../core/containment/facts.ts";
import { findProgram, runSync } from "../command.ts";
import type { Machine } from "./machine.ts";
import type { Tree } from "./tree.ts";

/** LIMIT: where such programs are looked for, how deep, and for how long. A setuid file elsewhere is not seen. */
const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib", "/usr/local", "/opt", "/srv"];
const CAPABILITY_FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin"];
const DEPTH_MAX = 3;
const DEADLINE_MS = 5_000;

/** Returns the setuid and setgid programs and those with file capabilities. */
export function programsOf(machine: Machine): Fact<readonly ProgramFacts[]> {
  try {
    const { tree } = machine;
    const [modes, capabilities] = [byMode(machine), byCapability(tree)];
    if (capabilities === undefined) {
      return unknown("getcap, which reads capabilities of files, is not installed (libcap2-bin)");
    }
    return known(
      [...modes, ...capabilities].map((one) =>
        isOrdinaryProgram(one.path)
          ? { ...one, packaged: true }
          : { ...one, packaged: isPackaged(tree, one.path) },
      ),
    );
  } catch (error) {
    return unknown(String(error));
  }
}

function byMode({ tree, groups, logins }: Machine): ProgramFacts[] {
  const present = presentIn(tree, FOLDERS);
  if (present.length === 0) return [];
  const criteria = ["-xdev", "-type", "f", "-perm", "/6000", "-printf", "%m %U %G %p\\0"];
  const { stdout } = runSync("find", ["-P", ...present, "-maxdepth", String(DEPTH_MAX), ...criteria], {
    deadlineMs: DEADLINE_MS,
  });
  return stdout.split("\0").flatMap((record): ProgramFacts[] => {
    const [, mode, uid, gid, path] = /^(\d+) (\d+) (\d+) ([\s\S]+)$/.exec(record) ?? [];
    if (mode === undefined || path === undefined) return [];
    const isSetuid = (Number.parseInt(mode, 8) & 0o4000) !== 0;
    const owner = logins?.find((one) => String(one.uid) === uid)?.name ?? `#${uid}`;
    const group = groups.find((one) => String(one.gid) === gid)?.name ?? `#${gid}`;
    const inside = path.slice(tree.root.length);
    return [
      {
        path: inside,
        kind: isSetuid ? "setuid" : "setgid",
        gives: [isSetuid ? owner : group],
        packaged: null,
      },
    ];
  });
}

/** Undefined: getcap is not installed. */
function byCapability(tree: Tree): ProgramFacts[] | undefined {
  if (findProgram("getcap") === undefined) return undefined;
  const optional = tree.names("/opt").map((name) => `/opt/${name}/bin`);
  const present = presentIn(tree, [...CAPABILITY_FOLDERS, ...optional]);
  if (present.length === 0) return [];
  const { stdout } = runSync("getcap", ["-r", ...present], { deadlineMs: DEADLINE_MS });
  return stdout.split("\n").flatMap((line): ProgramFacts[] => {
    // libcap 2.41 and later: `PATH cap_net_raw=ep`; before: `PATH = cap_net_raw+ep`.
    const [, path, list] = /^(.+?) (?:= )?((?:cap_[a-z_]+,?)+|)[=+][eip]+$/.exec(line) ?? [];
    if (path === undefined) return [];
    // `=ep` alone is all of them.
    const gives =
      list === undefined || list === "" ? ["sys_admin"] : list.split(",").map((one) => one.slice(4));
    return [{ path: path.slice(tree.root.length), kind: "capability", gives, packaged: null }];
  });
}

function presentIn(tree: Tree, folders: readonly string[]): string[] {
  const real = folders.map((folder) => tree.trail(folder));
  const found = real.filter(({ found: one }) => one?.isDirectory() === true).map(({ path }) => path);
  return [...new Set(found)].map((path) => `${tree.root}${path}`);
}

/** Older databases know `/bin/su` where the file is `/usr/bin/su`. */
function isPackaged(tree: Tree, path: string): boolean | null {
  const spellings = [path, path.replace(/^\/usr\/(?=s?bin\/|lib)/, "/")];
  if (tree.trail("/var/lib/dpkg/status").found !== null && findProgram("dpkg-query") !== undefined) {
    const query = ["--admindir", `${tree.root}/var/lib/dpkg`, "-S"];
    return spellings.some(
      (one) => runSync("dpkg-query", [...query, one], { deadlineMs: DEADLINE_MS }).status === 0,
    );
  }
  if (tree.trail("/usr/bin/rpm").found !== null && findProgram("rpm") !== undefined) {
    const options = ["--root", tree.root === "" ? "/" : tree.root, "-qf", path];
    return runSync("rpm", options, { deadlineMs: DEADLINE_MS }).status === 0;
  }
  return null;
}
