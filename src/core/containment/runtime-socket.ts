/**
 * Where container and VM runtimes listen: who can write to one of these starts processes as root, outside every scope.
 * One list for the grade of a scope and for `seawall prove`, which must not differ in what they look at.
 */
export const RUNTIME_SOCKETS: readonly string[] = [
  // Docker: one daemon of root, which mounts / into whatever it is asked to start. /var/run may be a folder of its own.
  "/run/docker.sock",
  "/var/run/docker.sock",
  // What Docker and Kubernetes stand on; it takes orders without them, too.
  "/run/containerd/containerd.sock",
  "/run/k3s/containerd/containerd.sock",
  "/run/crio/crio.sock",
  // Podman's Docker-like service, when it is the one of root.
  "/run/podman/podman.sock",
  // Builds run as root, with host networking where they ask for it.
  "/run/buildkit/buildkitd.sock",
  // System containers and VMs: privileged ones for whoever may speak to the daemon.
  "/var/lib/lxd/unix.socket",
  "/var/snap/lxd/common/lxd/unix.socket",
  "/var/lib/incus/unix.socket",
  "/run/incus/unix.socket",
  // VMs with the host's disks and bridges: the one daemon of old, and the one for QEMU since.
  "/run/libvirt/libvirt-sock",
  "/run/libvirt/virtqemud-sock",
];
