/**
 * The cgroups of a scope by unit. A unit's own cgroup is made anew with every start, and an nft rule keeps the
 * inode number of the old one: it would match nothing from then on. So the unit is put below a slice of ours that
 * stays when the unit goes (systemd.slice(5)), and the rule names the slice.
 */
import { assert } from "../base/assert.ts";

/** The parent of all slices of ours, directly below the root of the cgroup tree. */
export const PARENT_SLICE = "seawall.slice";
/** PARENT_SLICE/SLICE: what `socket cgroupv2 level` counts. */
export const SLICE_LEVEL = 2;
/** LIMIT: nft_socket keeps the level in eight bits. */
export const CGROUP_LEVEL_MAX = 255;
/** LIMIT: characters of a cgroup path in a rule; longer ones are refused. */
export const CGROUP_PATH_CHARS_MAX = 1_000;

export interface CgroupSelector {
  /**
   * INVARIANT: the number of segments of `path`, not of what stands before it. nft takes any other number too, and
   * the rule then matches nothing.
   */
  readonly level: number;
  /** Relative to the root of the cgroup2 tree, without a leading slash. */
  readonly path: string;
}

/** Returns the name of the slice unit of a scope. A `-` is escaped: in the name of a slice it means "below". */
export function sliceOfScope(scope: string): string {
  assert(/^[a-z][a-z0-9_-]*$/.test(scope), `not the name of a scope: ${scope}`);
  return `seawall-${scope.replaceAll("-", "\\x2d")}.slice`;
}

/** Returns how the packets of a scope by unit are recognised. */
export function selectorOfUnit(scope: string): CgroupSelector {
  return { level: SLICE_LEVEL, path: `${PARENT_SLICE}/${sliceOfScope(scope)}` };
}

/**
 * Returns how the packets of a scope by cgroup path are recognised, or undefined when the path is the root, is not
 * in its shortest form, or cannot stand in an nft rule (which has no escapes).
 */
export function selectorOfCgroup(text: string): CgroupSelector | undefined {
  const path = text.startsWith("/") ? text.slice(1) : text;
  const segments = path.split("/");
  if (path.length > CGROUP_PATH_CHARS_MAX || segments.length > CGROUP_LEVEL_MAX) return undefined;
  const plain = segments.every((one) => /^[A-Za-z0-9_.:@\\-]+$/.test(one) && one !== "." && one !== "..");
  return plain ? { level: segments.length, path } : undefined;
}

/** Returns the full name of a unit: `.service` is understood (systemctl(1)). */
export function unitName(unit: string): string {
  return /\.(service|slice|scope|socket|mount|swap)$/.test(unit) ? unit : `${unit}.service`;
}

/** Returns the text of the slice unit `/etc/systemd/system/SLICE` of a scope, or of their parent (null). */
export function sliceUnitText(scope: string | null): string {
  return `# Written by Seawall, which recognises an agent by its slice.
[Unit]
Description=${scope === null ? "Agents that Seawall judges" : `Agent of the Seawall scope ${scope}`}
# Made anew, it would be another cgroup than the one the rules in the kernel name.
RefuseManualStop=yes

[Install]
WantedBy=multi-user.target
`;
}

/** Returns the text of `/etc/systemd/system/UNIT.d/50-seawall.conf`. It holds from the unit's next start on. */
export function dropInText(scope: string): string {
  return `# Written by Seawall: what this unit sends is judged as scope ${scope}.
[Service]
Slice=${sliceOfScope(scope)}
`;
}
