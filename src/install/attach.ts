/** Puts a unit below the slice of a scope, by a drop-in that holds from the unit's next start on. */
import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SeawallError } from "../core/base/error.ts";
import {
  dropInText,
  PARENT_SLICE,
  sliceOfScope,
  sliceUnitText,
  unitName,
} from "../core/containment/slice.ts";
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
