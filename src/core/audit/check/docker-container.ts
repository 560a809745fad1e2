/** Layer 5, each container: what Docker was told against what its process really is. */
import { type Check, type Outcome, given, notApplicable, passUnless, unknown } from "../check.ts";
import type { Container, ContainerProcess, DockerFacts } from "../fact/docker.ts";
import type { Facts } from "../fact/facts.ts";
import { about } from "../failure.ts";
import { fixPublished } from "../fix/docker.ts";
import { isForWorld } from "./firewall-rule.ts";

const DAY_MS = 86_400_000;
const IMAGE_AGE_MAX_MS = 60 * DAY_MS;
const LOOKS = "docker inspect, and /proc/PID/status of the container's first process";

/** Judges containers of OpenClaw; without any, every container, because the agent may be any of them. */
function onContainers(
  facts: Facts,
  problemsOf: (container: Container, docker: DockerFacts) => readonly string[],
  seen: (container: Container) => string,
): Outcome {
  return given(facts.docker, (docker) => {
    const chosen = judged(docker);
    if (chosen.length === 0) return notApplicable(none(docker));
    return passUnless(
      chosen.flatMap((container) =>
        problemsOf(container, docker).map((problem) => `${container.name}: ${problem}`),
      ),
      chosen.map((container) => `${container.name}: ${seen(container)}`),
    );
  });
}

function judged({ containers }: DockerFacts): readonly Container[] {
  const agents = containers.filter(({ agent, sandbox }) => agent && !sandbox);
  return agents.length > 0 ? agents : containers.filter(({ sandbox }) => !sandbox);
}

function none({ containers }: DockerFacts): string {
  return containers.length === 0 ? "no container runs" : "only sandboxes of OpenClaw run (see DKR-020)";
}

/** Judges by the kernel; a container whose process could not be seen makes the whole unknown unless another fails. */
function onProcesses(
  facts: Facts,
  problemsOf: (process: ContainerProcess, container: Container, docker: DockerFacts) => readonly string[],
  seen: (process: ContainerProcess) => string,
): Outcome {
  return given(facts.docker, (docker) => {
    const chosen = judged(docker);
    if (chosen.length === 0) return notApplicable(none(docker));
    const problems = chosen.flatMap((container) =>
      container.process.kind === "read"
        ? problemsOf(container.process.value, container, docker).map(
            (problem) => `${container.name}: ${problem}`,
          )
        : [],
    );
    const hidden = chosen.find(({ process }) => process.kind !== "read");
    if (problems.length === 0 && hidden !== undefined)
      return unknown(`the process of ${hidden.name} cannot be seen`, "sudo seawall audit --layer docker");
    return passUnless(
      problems,
      chosen.map(
        (container) =>
          `${container.name}: ${container.process.kind === "read" ? seen(container.process.value) : ""}`,
      ),
    );
  });
}

const SOCKETS = /(^|\/)(docker|containerd|crio|podman)\.sock$/;
const SENSITIVE = /^\/(|etc|root|home|proc|sys|boot|dev|var|var\/run|run|var\/lib\/docker|usr)$/;

export const DOCKER_CONTAINER_CHECKS: readonly Check[] = [
  {
    id: "DKR-001",
    layer: "docker",
    severity: "high",
    title: "The agent is not root in its container",
    fails: about("The agent", "is root in its container", "are root in their containers"),
    why: "root in a container is one kernel bug away from root on the host",
    fix: "user: '1000:1000' in compose.yaml, then: docker compose up -d",
    looksAt: LOOKS,
    judge: (facts) =>
      onProcesses(
        facts,
        (process, container, docker) =>
          process.uid === 0 && !docker.usernsRemap
            ? [`runs as uid 0 (Docker was told user "${container.user}")`]
            : [],
        (process) => `runs as uid ${process.uid}`,
      ),
  },
  {
    id: "DKR-002",
    layer: "docker",
    severity: "high",
    title: "Every capability is dropped",
    fails: about("A container", "keeps capabilities", "keep capabilities"),
    why: "a capability that is kept is one that an attacker inside can use",
    fix: "cap_drop: [ALL] in compose.yaml",
    looksAt: LOOKS,
    judge: (facts) =>
      onProcesses(
        facts,
        (process, container) =>
          process.capBounding === 0n
            ? []
            : [
                `may have capabilities ${hex(process.capBounding)} (cap_drop ${container.capDrop.join(",") || "none"}, cap_add ${container.capAdd.join(",") || "none"})`,
              ],
        () => "may have no capability",
      ),
  },
  {
    id: "DKR-003",
    layer: "docker",
    severity: "high",
    title: "A program in it cannot gain rights",
    fails: about("A container", "lets its programs gain rights", "let their programs gain rights"),
    why: "without it a setuid program inside makes anybody root there",
    fix: "security_opt: [no-new-privileges:true]",
    looksAt: LOOKS,
    judge: (facts) =>
      onProcesses(
        facts,
        (process) => (process.noNewPrivileges ? [] : ["NoNewPrivs is 0"]),
        () => "NoNewPrivs is 1",
      ),
  },
  {
    id: "DKR-004",
    layer: "docker",
    severity: "critical",
    title: "It is not privileged",
    fails: about("A container", "is privileged: root on this host", "are privileged: root on this host"),
    why: "a privileged container is root on the host",
    fix: "remove privileged: true",
    looksAt: "docker inspect: HostConfig.Privileged",
    judge: (facts) =>
      onContainers(
        facts,
        ({ privileged }) => (privileged ? ["privileged"] : []),
        () => "not privileged",
      ),
  },
  {
    id: "DKR-005",
    layer: "docker",
    severity: "critical",
    title: "It does not hold Docker's socket",
    fails: about("A container", "holds Docker's socket", "hold Docker's socket"),
    why: "who can talk to Docker can start a container that owns the host",
    fix: "remove the mount of docker.sock; use a socket proxy that allows only what is needed",
    looksAt: "docker inspect: Mounts",
    judge: (facts) =>
      onContainers(
        facts,
        ({ mounts }) =>
          mounts
            .filter(({ source, target }) => SOCKETS.test(source) || SOCKETS.test(target))
            .map(({ source, target }) => `${source} is mounted at ${target}`),
        () => "no socket of a container engine",
      ),
  },
  {
    id: "DKR-006",
    layer: "docker",
    severity: "critical",
    title: "It holds no folder of the system",
    fails: about("A container", "holds a folder of the system", "hold folders of the system"),
    why: "a mount of /, /etc or /root gives the host away",
    fix: "mount only the folders the agent needs",
    looksAt: "docker inspect: Mounts",
    judge: (facts) =>
      onContainers(
        facts,
        ({ mounts }) =>
          mounts
            .filter(
              ({ source, writable }) =>
                SENSITIVE.test(source.replace(/(.)\/$/, "$1")) && (writable || source === "/"),
            )
            .map(({ source, target }) => `${source} at ${target}, writable`),
        ({ mounts }) => `${mounts.length} mount(s), none of the system`,
      ),
  },
  {
    id: "DKR-007",
    layer: "docker",
    severity: "critical",
    title: "Its ports are published on loopback only",
    fails: about("A container", "is published on every address", "are published on every address"),
    why: "a port published without an address is open on every address of the server, past UFW",
    fix: "publish on 127.0.0.1 only",
    remedy: (facts, seen) => fixPublished(facts, seen),
    looksAt: "docker inspect: NetworkSettings.Ports (an empty address is every address)",
    judge: (facts) =>
      given(facts.docker, ({ containers }) => {
        if (containers.length === 0) return notApplicable("no container runs");
        const open = containers.flatMap(({ name, published }) =>
          published
            .filter(({ address, hostPort }) => isForWorld(address) && ![80, 443].includes(hostPort))
            .map(
              ({ address, hostPort, port, protocol }) =>
                `${name}: ${address || "0.0.0.0 and ::"}:${hostPort} -> ${port}/${protocol}`,
            ),
        );
        const count = containers.reduce((sum, { published }) => sum + published.length, 0);
        return passUnless(open, `${count} published port(s): on loopback, a private address, or 80 and 443`);
      }),
  },
  {
    id: "DKR-008",
    layer: "docker",
    severity: "high",
    title: "It has namespaces of its own",
    fails: about("A container", "shares namespaces with the host", "share namespaces with the host"),
    why: "with the host's network it reaches everything that listens on loopback, the gateway too",
    fix: "remove network_mode: host, pid: host, ipc: host, uts: host, userns_mode: host",
    looksAt: "docker inspect: HostConfig",
    judge: (facts) =>
      onContainers(
        facts,
        ({ networkMode, namespaces }) =>
          Object.entries({ network: networkMode, ...namespaces })
            .filter(([, mode]) => mode === "host")
            .map(([name]) => `shares the host's ${name} namespace`),
        () => "no namespace of the host",
      ),
  },
  {
    id: "DKR-009",
    layer: "docker",
    severity: "medium",
    title: "Its file system is read-only",
    fails: about("A container", "may write its own system", "may write their own systems"),
    why: "what cannot be written cannot be changed by who breaks in",
    fix: "read_only: true and tmpfs: ['/tmp:noexec']",
    looksAt: "docker inspect: HostConfig.ReadonlyRootfs",
    judge: (facts) =>
      onContainers(
        facts,
        ({ readOnly }) => (readOnly ? [] : ["its root file system is writable"]),
        () => "read-only",
      ),
  },
  {
    id: "DKR-010",
    layer: "docker",
    severity: "medium",
    title: "It has limits",
    fails: about("A container", "has no limits", "have no limits"),
    why: "an agent that runs wild takes the whole server with it, SSH too",
    fix: "pids_limit: 256, mem_limit: 2g, cpus: '1.5'",
    looksAt: "docker inspect: HostConfig.PidsLimit, Memory, NanoCpus",
    judge: (facts) =>
      onContainers(
        facts,
        ({ limits }) => [
          ...(limits.pids > 0 ? [] : ["no limit of processes"]),
          ...(limits.memoryBytes > 0 ? [] : ["no limit of memory"]),
          ...(limits.nanoCpus > 0 ? [] : ["no limit of CPU"]),
        ],
        ({ limits }) =>
          `${limits.pids} processes, ${Math.round(limits.memoryBytes / 1_048_576)} MiB, ${limits.nanoCpus / 1e9} CPU`,
      ),
  },
  {
    id: "DKR-011",
    layer: "docker",
    severity: "high",
    title: "The kernel's filters are on",
    fails: about("A container", "runs without the kernel's filters", "run without the kernel's filters"),
    why: "without seccomp a container may use every system call there is",
    fix: "remove seccomp:unconfined and apparmor:unconfined",
    looksAt: LOOKS,
    judge: (facts) =>
      onProcesses(
        facts,
        (process, container, docker) => [
          ...(process.seccomp === 2 ? [] : [`Seccomp is ${process.seccomp}, not 2`]),
          ...(docker.appArmorOnHost && (process.appArmor ?? "unconfined").startsWith("unconfined")
            ? ["AppArmor does not confine it"]
            : []),
          ...container.securityOptions
            .filter((option) => /unconfined/.test(option))
            .map((option) => `told: ${option}`),
        ],
        (process) => `Seccomp 2, AppArmor ${process.appArmor ?? "not on this host"}`,
      ),
  },
  {
    id: "DKR-012",
    layer: "docker",
    severity: "low",
    title: "It has a network of its own",
    fails: about(
      "A container",
      "is on the default bridge with all others",
      "are on the default bridge with all others",
    ),
    why: "on the default bridge every container reaches every other",
    fix: "docker network create openclaw-net, and networks: [openclaw-net]",
    looksAt: "docker inspect: HostConfig.NetworkMode",
    judge: (facts) =>
      onContainers(
        facts,
        ({ networkMode }) =>
          ["default", "bridge", ""].includes(networkMode) ? ["on the default bridge"] : [],
        ({ networkMode }) => `network ${networkMode}`,
      ),
  },
  {
    id: "DKR-018",
    layer: "docker",
    severity: "low",
    title: "Its image is pinned and fresh",
    fails: about(
      "A container",
      "has an image that is old or can change",
      "have images that are old or can change",
    ),
    why: "a tag can point to something else tomorrow, and an old image has old holes",
    fix: "image: NAME@sha256:..., pulled in the last 60 days",
    looksAt: "docker inspect: the image's name, digests and date",
    judge: (facts) =>
      onContainers(
        facts,
        ({ digestPinned, imageCreatedMs, image }) => [
          ...(digestPinned ? [] : [`${image} is not pinned by digest`]),
          ...(imageCreatedMs !== null && facts.takenMs - imageCreatedMs > IMAGE_AGE_MAX_MS
            ? [`its image is ${Math.round((facts.takenMs - imageCreatedMs) / DAY_MS)} days old`]
            : []),
        ],
        ({ image }) => image,
      ),
  },
  {
    id: "DKR-019",
    layer: "docker",
    severity: "high",
    title: "No secret is in its environment",
    fails: about("A container", "has a secret in its environment", "have secrets in their environment"),
    why: "what is in the environment is shown by docker inspect and to every process inside",
    fix: "use a file in /run/secrets, or OpenClaw's SecretRef of kind exec",
    looksAt: "docker inspect: Config.Env, by the rules for secrets",
    judge: (facts) =>
      onContainers(
        facts,
        ({ secretEnv }) => secretEnv.map((name) => `${name} holds a secret`),
        () => "no value in its environment looks like a secret",
      ),
  },
  {
    id: "DKR-020",
    layer: "docker",
    severity: "medium",
    title: "OpenClaw's own sandboxes obey the same rules",
    fails: about("A sandbox", "breaks the rules for containers", "break the rules for containers"),
    why: "that is where the agent's commands run",
    fix: "openclaw sandbox recreate, after agents.defaults.sandbox.docker is set (network none, capDrop ALL, readOnlyRoot)",
    looksAt: LOOKS,
    judge: (facts) =>
      given(facts.docker, ({ containers }) => {
        const sandboxes = containers.filter(({ sandbox }) => sandbox);
        if (sandboxes.length === 0) return notApplicable("no sandbox container of OpenClaw runs");
        return passUnless(
          sandboxes.flatMap((container) =>
            sandboxProblems(container).map((problem) => `${container.name}: ${problem}`),
          ),
          sandboxes.map(({ name, networkMode }) => `${name}: network ${networkMode}, no capability`),
        );
      }),
  },
];

function sandboxProblems(container: Container): string[] {
  const process = container.process.kind === "read" ? container.process.value : null;
  return [
    ...(container.privileged ? ["privileged"] : []),
    ...(container.networkMode === "host" ? ["shares the host's network"] : []),
    ...container.mounts
      .filter(({ source }) => SOCKETS.test(source))
      .map(({ source }) => `${source} is mounted`),
    ...(process !== null && process.capBounding !== 0n
      ? [`may have capabilities ${hex(process.capBounding)}`]
      : []),
    ...(process !== null && !process.noNewPrivileges ? ["NoNewPrivs is 0"] : []),
  ];
}

function hex(capabilities: bigint): string {
  return `0x${capabilities.toString(16)}`;
}
