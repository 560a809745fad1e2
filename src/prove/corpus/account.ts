/** Ways to become somebody, or to be somewhere, that the scope does not judge. */
import { existsSync, lstatSync } from "node:fs";
import { findProgram } from "../../edge/host/command.ts";
import { cgroupMount } from "../../edge/host/scope-cgroup.ts";
import type { ContainmentFacts } from "../../core/containment/facts.ts";
import { RUNTIME_SOCKETS } from "../../core/containment/runtime-socket.ts";
import type { Answer, Ask } from "../ask.ts";
import { held, type Judged, notHeld, notPossible, notShown } from "../row.ts";
import type { Account } from "../place.ts";
import { judgeFlow, type Scene, tryAddress } from "../scene.ts";
import type { Entry } from "./entry.ts";

const OUTSIDE = "1.1.1.1";
const OUT: Extract<Ask, { do: "tcp" }> = { do: "tcp", address: OUTSIDE, port: 80 };

export const ACCOUNT: readonly Entry[] = [
  { id: "subuid", title: "another uid of its own user namespace (subuid)", run: subuid },
  {
    id: "user-manager",
    title: "a process that its systemd manager starts (systemd-run --user)",
    run: userManager,
  },
  starter("at", "a process that at starts", ["-l"]),
  starter("crontab", "a process that cron starts", ["-l"]),
  { id: "ssh-localhost", title: "a login over ssh to this host", run: sshLocalhost },
  { id: "cgroup-move", title: "moving itself into another cgroup (cgroup.procs)", run: cgroupMove },
  { id: "sudo", title: "sudo without a password (sudo -n)", run: sudo },
  { id: "runtime-socket", title: "the socket of a container runtime (docker.sock ...)", run: runtimeSocket },
];

const OTHER_FILES = "a container has files and users of its own";
const NOBODY_RUNS = "nothing runs in it now, so it is not known as whom it would run";
const BY_USER = "judge it by user: scopes: {NAME: {user: ...}}";

/** Rows about the agent's account; where it is root nothing of it can be held. */
function ofAccount(scene: Scene, run: (account: Account) => Promise<Judged>): Promise<Judged> {
  const { hasHostFiles, account } = scene.place;
  if (!hasHostFiles) return Promise.resolve(notPossible(OTHER_FILES));
  if (account === null) return Promise.resolve(notPossible(NOBODY_RUNS));
  if (account.isRoot)
    return Promise.resolve(notHeld("its processes run as root", "run the agent under a user of its own"));
  return run(account);
}

function subuid(scene: Scene): Promise<Judged> {
  return ofAccount(scene, ({ subuid: uid }) => {
    if (uid === null) return Promise.resolve(notPossible("it has no subordinate uids (/etc/subuid)"));
    return tryAddress(scene, OUT, scene.another({ uid, gid: uid, groups: [] }));
  });
}

/**
 * What else starts processes for it. A scope by user judges them by their uid wherever they run: that is tried from
 * a process that was not started by the agent either. A scope by place is left by it.
 */
async function startedElsewhere(scene: Scene, evidence: string, cure: string): Promise<Judged> {
  if (scene.place.kind !== "user") return notHeld(`${evidence}, and outside the scope`, cure);
  const judged = await tryAddress(scene, OUT, scene.another());
  return { ...judged, evidence: `${evidence}, with its uid: ${judged.evidence}` };
}

function userManager(scene: Scene): Promise<Judged> {
  return ofAccount(scene, async () => {
    const base = `/run/user/${scene.place.identity.uid}`;
    const answer = await scene.agent.ask({ do: "unix", paths: [`${base}/systemd/private`, `${base}/bus`] });
    if (answer.outcome === "absent") return notPossible("no systemd manager runs for it");
    if (answer.outcome === "failed") return notShown(answer.code);
    if (answer.outcome !== "reached") return held(`${answer.text}: ${answer.code}`);
    return startedElsewhere(
      scene,
      `${answer.text} starts processes for it`,
      `loginctl disable-linger; ${BY_USER}`,
    );
  });
}

function starter(program: "at" | "crontab", title: string, args: readonly string[]): Entry {
  const id = program === "crontab" ? "cron" : program;
  const run = (scene: Scene): Promise<Judged> =>
    ofAccount(scene, async () => {
      if (findProgram(program) === undefined) return notPossible(`${program} is not installed`);
      const answer = await scene.another().ask({ do: "run", program, args, input: "" });
      if (answer.outcome === "failed") return notShown(answer.code);
      if (answer.outcome === "absent") return notPossible(answer.code);
      if (!mayUse(answer)) return held(`${program}: ${firstLine(answer)}`);
      return startedElsewhere(
        scene,
        `${program} takes its jobs`,
        `write its name into /etc/${id}.deny; ${BY_USER}`,
      );
    });
  return { id, title, run };
}

/** crontab(1) ends with 1 for a user that has no jobs and may have some. */
export function mayUse({ outcome, text }: Answer): boolean {
  return outcome === "reached" || /no crontab for/.test(text);
}

async function sshLocalhost(scene: Scene): Promise<Judged> {
  const address = scene.place.kind === "guest" ? scene.place.nearAddress : "127.0.0.1";
  if (address === null) return notPossible("it has a loopback of its own");
  if (!(await scene.witness.reaches(address, 22)))
    return notPossible(`no sshd listens on ${address} port 22`);
  return tryAddress(scene, { do: "tcp", address, port: 22 });
}

function cgroupMove(scene: Scene): Promise<Judged> {
  return ofAccount(scene, async ({ otherCgroups }) => {
    const tree = cgroupTree();
    if (tree === null) return notPossible("there is no cgroup2 tree");
    const cgroups = [tree, `${tree}/system.slice`, `${tree}/user.slice`, ...otherCgroups];
    const answer = await scene.another().ask({ do: "leave", cgroups, address: OUTSIDE, port: 80 });
    const judged = await judgeFlow(scene, answer, { address: OUTSIDE, port: 80, protocol: "tcp" });
    const moved = answer.text === "" ? "no cgroup took it" : `it went to ${answer.text}`;
    return { ...judged, evidence: `${moved}; ${judged.evidence}` };
  });
}

function cgroupTree(): string | null {
  try {
    return cgroupMount().directory;
  } catch {
    return (
      ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? null
    );
  }
}

function sudo(scene: Scene): Promise<Judged> {
  return ofAccount(scene, async () => {
    if (findProgram("sudo") === undefined) return notPossible("sudo is not installed");
    const person = scene.another();
    const answer = await person.ask({ do: "run", program: "sudo", args: ["-n", "true"], input: "" });
    if (answer.outcome === "failed") return notShown(answer.code);
    if (answer.outcome === "absent") return notPossible(answer.code);
    if (answer.outcome === "reached") return notHeld("sudo -n true: exit 0", SUDOERS);
    const listed = await person.ask({ do: "run", program: "sudo", args: ["-n", "-l"], input: "" });
    const right = /^\s*\(.*NOPASSWD:.*$/m.exec(listed.text)?.[0].trim();
    if (listed.outcome === "reached" && right !== undefined) return notHeld(`sudo -n -l: ${right}`, SUDOERS);
    return held(firstLine(answer));
  });
}

const SUDOERS = "take its lines out of sudoers (visudo)";

function firstLine({ code, text }: Answer): string {
  return text.trim().split("\n", 1)[0] || code;
}

async function runtimeSocket(scene: Scene): Promise<Judged> {
  const { containers } = scene.place;
  if (containers !== null) return mountedSocket(containers);
  return ofAccount(scene, async () => {
    const { seen } = scene.place;
    const paths = runtimeSockets(seen).filter(existsSync);
    const answers = await Promise.all(paths.map((path) => scene.agent.ask({ do: "unix", paths: [path] })));
    if (answers.length === 0) return notPossible("no container runtime listens here");
    const broken = answers.find(({ outcome }) => outcome === "failed");
    if (broken !== undefined) return notShown(broken.code);
    const open = answers
      .filter(({ outcome }) => outcome === "reached")
      .map(({ text }) => text.slice(seen.length));
    if (open.length > 0)
      return notHeld(`${open.join(", ")}: connected`, "take its access away (group, mode, access list)");
    return held(answers.map(({ text, code }) => `${text.slice(seen.length)}: ${code}`).join(", "));
  });
}

/** Below what the agent sees as its root. A link there would lead to ours, and /var/run links to what is listed too. */
function runtimeSockets(seen: string): string[] {
  const isLinked = lstatSync(`${seen}/var/run`, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const own = RUNTIME_SOCKETS.filter((path) => !(isLinked && path.startsWith("/var/run/")));
  return own.map((path) => `${seen}${path}`);
}

/** A container has the sockets that are mounted into it. */
function mountedSocket(facts: ContainmentFacts): Judged {
  if (facts.boundary !== "container" || !facts.containers.known)
    return notPossible("it is not known which containers there are");
  const all = facts.containers.value;
  if (all.length === 0) return notPossible("no container runs in this network");
  const open = all.flatMap(({ name, mounts }) => mounts.filter(isSocket).map((path) => `${name}: ${path}`));
  if (open.length > 0) return notHeld(open.join(", "), "take the socket out of its volumes");
  return held(`${all.length} containers, none has one mounted`);
}

function isSocket(path: string): boolean {
  return RUNTIME_SOCKETS.includes(path) || /\.(sock|socket)$|-sock$/.test(path);
}
