/** Layer 5, the engine itself and who may use it. */
import { type Check, fail, given, notApplicable, passUnless } from "../check.ts";
import { byEvidence } from "../failure.ts";
import { fixDockerGroup } from "../fix/docker.ts";
import { modeText } from "../fact/file.ts";
import { valueOr } from "../reading.ts";

const GUARDS_DIRECT_ROUTES_SINCE = 28;

export const DOCKER_HOST_CHECKS: readonly Check[] = [
  {
    id: "DKR-013",
    layer: "docker",
    severity: "critical",
    title: "Docker takes no orders over the network",
    fails: "Docker takes orders over the network",
    why: "an open Docker API is root for whoever reaches it",
    fix: "remove tcp:// from `hosts` in /etc/docker/daemon.json and from the unit, then: systemctl restart docker",
    looksAt: "the sockets of dockerd, and its `hosts`",
    judge: (facts) =>
      given(facts.docker, ({ tcp, settings }) => {
        const verified = settings["tlsverify"] === true;
        return passUnless(
          verified ? [] : tcp.map((socket) => `dockerd listens on ${socket} without TLS`),
          tcp.length === 0 ? "dockerd listens on its unix socket only" : "TCP with client certificates",
        );
      }),
  },
  {
    id: "DKR-014",
    layer: "docker",
    severity: "high",
    title: "The agent's user may not use Docker",
    fails: (seen) =>
      `${/^[\w-]{1,32}(?= )/.exec(seen[0] ?? "")?.[0] ?? "The agent's user"} may use Docker, which is root`,
    why: "membership in the docker group is root on the host",
    fix: "take the agent's user out of group docker, then restart the agent",
    remedy: (facts) => fixDockerGroup(facts),
    looksAt: "the groups of the running gateway's process, and /etc/group",
    judge: (facts) =>
      given(facts.openclaw, ({ instances }) => {
        const accounts = valueOr(facts.accounts, []);
        const inGroup = instances.filter((instance) => {
          const now = instance.process.kind === "read" && instance.process.value.groups.includes("docker");
          const file = accounts.some(({ uid, groups }) => uid === instance.uid && groups.includes("docker"));
          return instance.uid !== 0 && (now || file);
        });
        if (facts.docker.kind === "absent" && inGroup.length === 0) return notApplicable(facts.docker.why);
        return passUnless(
          inGroup.map(({ user, name }) => `${user} (${name}) is in group docker`),
          instances.map(({ user }) => `${user} is not in group docker`),
        );
      }),
  },
  {
    id: "DKR-015",
    layer: "docker",
    severity: "high",
    title: "Only root and group docker may use Docker's socket",
    fails: "Others than root and group docker may use Docker's socket",
    why: "a socket that everybody may write is root for everybody",
    fix: "chmod 660 /run/docker.sock && chown root:docker /run/docker.sock",
    looksAt: "stat of /run/docker.sock",
    judge: (facts) =>
      given(facts.docker, ({ socket, dockerGid, rootless }) =>
        given(socket, (file) => {
          if (rootless) return notApplicable("Docker runs without root; its socket belongs to its user");
          const groupOk = file.gid === 0 || file.gid === dockerGid;
          const isTight = (file.mode & 0o117) === 0 && file.uid === 0 && groupOk;
          return passUnless(
            isTight ? [] : [`${file.path}: ${modeText(file.mode)}, owner ${file.uid}:${file.gid}`],
            `${file.path}: ${modeText(file.mode)}`,
          );
        }),
      ),
  },
  {
    id: "DKR-016",
    layer: "docker",
    severity: "high",
    title: "Neighbours cannot reach containers by a route of their own",
    fails: "Neighbours can reach containers by a route of their own",
    why: "before version 28 a neighbour that adds a route reaches ports that are published on 127.0.0.1 or not at all",
    fix: "upgrade Docker to 28 or later, or enforce a Seawall policy: it judges forwarded traffic too",
    looksAt: "docker version, and whether Seawall judges forwarded traffic",
    judge: (facts) =>
      given(facts.docker, ({ version, rootless }) => {
        const major = Number(version.split(".")[0]);
        const guarded = facts.firewall.kind === "read" && facts.firewall.value.seawall.state === "enforcing";
        return passUnless(
          major >= GUARDS_DIRECT_ROUTES_SINCE || guarded || rootless
            ? []
            : [`Docker ${version} does not stop them, and Seawall does not enforce`],
          guarded ? "Seawall judges forwarded traffic" : `Docker ${version}`,
        );
      }),
  },
  {
    id: "DKR-017",
    layer: "docker",
    severity: "low",
    title: "Logs are limited and containers survive a restart of Docker",
    fails: byEvidence("Docker keeps logs without a limit", [
      /live-restore/,
      "Containers end when Docker restarts",
    ]),
    why: "a container's log without a limit fills the disk, and then nothing works",
    fix: 'merge {"live-restore": true, "log-opts": {"max-size": "10m", "max-file": "3"}} into /etc/docker/daemon.json',
    looksAt: "docker info: LiveRestoreEnabled; each container's log options",
    judge: (facts) =>
      given(facts.docker, ({ liveRestore, containers }) => {
        const unlimited = containers
          .filter(({ logMaxSize }) => logMaxSize === null)
          .map(({ name }) => `${name}: its log has no limit`);
        if (liveRestore && unlimited.length === 0)
          return passUnless([], `live-restore is on, ${containers.length} container(s) with limited logs`);
        return fail([...(liveRestore ? [] : ["live-restore is off"]), ...unlimited]);
      }),
  },
];
