/** Puts a unit below the slice of a scope, by a drop-in that holds from the unit's next start on. */
import { existsSync, globSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import {
  dropInText,
  PARENT_SLICE,
  sliceOfScope,
  sliceUnitText,
  unitName,
} from "../core/containment/slice.ts";
import { LIBRARY } from "./payload.ts";
import { isAnythingAt, linkTarget, makeFolders, placeFile, placeLink, removeEmptyFolder } from "./place.ts";

const FOLDER = "/etc/systemd/system";
const UNIT_FOLDERS = [FOLDER, "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const DROP_IN = "50-seawall.conf";
const WANTED = `${FOLDER}/multi-user.target.wants`;
/** The first words of every text in core/containment/slice.ts. */
const OURS = "# Written by Seawall";

export interface Attached {
  readonly unit: string;
  readonly slice: string;
  readonly written: readonly string[];
}

/** Writes the slices of `scope` and the drop-in of `unit` below `root`. Refuses a unit that is not there. */
export function attachUnit(root: string, unit: string, scope: string): Attached {
  const name = unitName(unit);
  const isThere = UNIT_FOLDERS.some((folder) => existsSync(join(root, folder, name)));
  if (!/^[A-Za-z0-9:_.@\\-]+\.service$/.test(name) || !isThere) {
    throw new SeawallError("SEAWALL_SCOPE", `there is no unit \`${name}\` of the system manager`, {
      still: "nothing was changed",
      help: "systemctl list-unit-files --type=service",
    });
  }
  const slice = sliceOfScope(scope);
  const texts = [
    [`${FOLDER}/${PARENT_SLICE}`, sliceUnitText(null)],
    [`${FOLDER}/${slice}`, sliceUnitText(scope)],
    [`${FOLDER}/${name}.d/${DROP_IN}`, dropInText(scope)],
  ] as const;
  const foreign = texts.find(([path]) => isAnythingAt(join(root, path)) && !isOurs(join(root, path)));
  if (foreign !== undefined) {
    throw new SeawallError("SEAWALL_SCOPE", `\`${foreign[0]}\` is there and is not ours`, {
      still: "nothing was changed",
      help: `cat ${foreign[0]}`,
    });
  }
  const changed = texts.filter(([path, text]) => textAt(join(root, path)) !== text);
  for (const [path, text] of changed) {
    makeFolders(root, dirname(path));
    placeFile(join(root, path), { mode: 0o644, content: { bytes: Buffer.from(text) } });
  }
  makeFolders(root, WANTED);
  for (const one of [PARENT_SLICE, slice]) placeLink(join(root, WANTED, one), `${FOLDER}/${one}`);
  return { unit: name, slice, written: changed.map(([path]) => path) };
}

/** Programs by which somebody gets in: under the agent's rules they would answer nobody. */
const WAYS_IN = [
  "/usr/sbin/sshd",
  "/usr/sbin/dropbear",
  "/usr/sbin/tailscaled",
  "/usr/lib/systemd/systemd-logind",
];

/**
 * Refuses a unit whose program is a way in, or Seawall itself, by the file that it starts and not by what it is
 * called; and a unit of systemd's own. What cannot be read is not refused here: attachUnit does.
 */
export function refuseOperators(root: string, unit: string): void {
  const name = unitName(unit);
  const file = UNIT_FOLDERS.map((folder) => join(root, folder, name)).find((path) => existsSync(path));
  if (file === undefined) return;
  const programs = [...textAt(file).matchAll(/^ExecStart(?:Pre)?=[-@:+!]*(\/\S+)/gm)].flatMap(
    ([, path]) => path ?? [],
  );
  const isWayIn = programs.some((path) =>
    WAYS_IN.some((way) => isSameFile(join(root, path), join(root, way))),
  );
  const isOwn = programs.some((path) => path.startsWith(`${LIBRARY}/`) || path === "/usr/bin/seawall");
  if (!isWayIn && !isOwn && !/^(?:systemd-|dbus|user@|getty@|serial-getty@)/.test(name)) return;
  const what = isWayIn ? "lets you in" : isOwn ? "is Seawall's own" : "is systemd's own";
  throw new SeawallError(
    "SEAWALL_SCOPE",
    `\`${name}\` ${what}: it is never put under the rules of an agent`,
    {
      still: "nothing was changed",
      help: "sudo seawall attach UNIT, the unit of the agent",
    },
  );
}

function isSameFile(one: string, other: string): boolean {
  const [left, right] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return left !== undefined && right !== undefined && left.dev === right.dev && left.ino === right.ino;
}

/** Removes every drop-in and slice that attachUnit wrote. Returns their paths. */
export function detachUnits(root: string): readonly string[] {
  const folder = join(root, FOLDER);
  const ours = globSync(["*.d/50-seawall.conf", "seawall.slice", "seawall-*.slice"], { cwd: folder })
    .filter((name) => isOurs(join(folder, name)))
    .toSorted((a, b) => (a < b ? -1 : 1));
  for (const name of ours) {
    rmSync(join(folder, name));
    if (name.endsWith(".conf")) removeEmptyFolder(join(folder, dirname(name)));
    const link = join(root, WANTED, name);
    if (linkTarget(link) === `${FOLDER}/${name}`) rmSync(link);
  }
  return ours.map((name) => `${FOLDER}/${name}`);
}

function isOurs(path: string): boolean {
  return textAt(path).startsWith(OURS);
}

function textAt(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
