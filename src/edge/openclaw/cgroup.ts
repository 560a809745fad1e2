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
