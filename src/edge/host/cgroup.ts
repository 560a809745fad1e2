/** Who runs a process, by the text of /proc/PID/cgroup (cgroups(7)). */

export interface UnitName {
  readonly name: string;
  readonly kind: "system" | "user";
}

export interface ContainerId {
  readonly runtime: "docker" | "podman" | "other";
  readonly id: string;
}

/**
 * Returns the unit: the last `.service` of the unified path; one below `user@UID.service` belongs to that
 * user's manager, which itself is no unit of an instance. Null when there is none.
 */
export function unitOfCgroup(text: string): UnitName | null {
  const parts = (/^0::(.*)$/m.exec(text)?.[1] ?? "").split("/");
  const name = parts.findLast((part) => /^[A-Za-z0-9:_.@\\-]{1,200}\.service$/.test(part));
  if (name === undefined || /^user@\d+\.service$/.test(name)) return null;
  return { name, kind: parts.some((part) => /^user@\d+\.service$/.test(part)) ? "user" : "system" };
}

/** Returns the container: 64 hexadecimal digits, and before them the runtime's own word. Null when there is none. */
export function containerOfCgroup(text: string): ContainerId | null {
  const match = /(?:(docker|libpod|cri-containerd|crio)[-/:])?(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])/.exec(
    text,
  );
  const id = match?.[2];
  if (id === undefined) return null;
  const runtime = match?.[1] === "docker" ? "docker" : match?.[1] === "libpod" ? "podman" : "other";
  return { runtime, id };
}

/**
 * The way of a container or machine in one path of cgroups(7): a name that runtimes give (root alone makes cgroups
 * outside its own), or 64 hexadecimal digits. Empty when there is none.
 */
function containerPart(path: string): string {
  const parts = path.split("/");
  const last = parts.findLastIndex((part) => CONTAINER_PARTS.some((pattern) => pattern.test(part)));
  return parts.slice(0, last + 1).join("/");
}

const CONTAINER_PARTS = [
  /^(docker|lxc|libpod|libpod_parent|machine|kubepods|garden|podman|crio)$/,
  /^(machine|kubepods[a-z0-9-]*)\.slice$/,
  /^lxc\.payload(\.|$)/,
  /^(docker|libpod|cri-containerd|crio|nerdctl|machine)[-:].+\.scope$/,
  /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/,
];

/**
 * Whether a process of this text of /proc/PID/cgroup is in another container than one of `first`, that of the first
 * process: where the whole machine is a container, its name stands in both.
 */
export function isInContainer(text: string, first: string): boolean {
  const own = new Set(pathsOf(first).map(containerPart));
  return pathsOf(text)
    .map(containerPart)
    .some((part) => part !== "" && !own.has(part));
}

function pathsOf(text: string): string[] {
  return text.split("\n").flatMap((line) => /^\d+:[^:]*:(.*)$/.exec(line)?.[1] ?? []);
}
