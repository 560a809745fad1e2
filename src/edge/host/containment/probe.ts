/** Everything by which the processes of a scope could send as somebody else, read from this machine in one go. */
import {
  type AccountFacts,
  type Fact,
  type HostFacts,
  known,
  unknown,
} from "../../../core/containment/facts.ts";
import { type Account, accountOf, type Machine, readMachine } from "./machine.ts";
import { belongingsOf, otherAdmins } from "./admin.ts";
import { otherAccounts } from "./other-account.ts";
import { type Running, runningOf, type Subject } from "./process.ts";
import { programsOf } from "./program.ts";
import { doasLines, polkitRules, readSudoers, sudoRights, type UserSpec } from "./right.ts";
import { changeable, type RootFiles, readRootFiles, writableDevices } from "./root-file.ts";
import { reachableSockets } from "./socket.ts";
import { personSigns, startersOf } from "./starter.ts";
import { mayWrite } from "./permission.ts";
import { openTree, type Tree } from "./tree.ts";

/** LIMIT: different users of one scope that are looked at. */
const ACCOUNTS_MAX = 16;
/** LIMIT: cgroups looked at for being writable, from the root down. */
const CGROUPS_MAX = 5_000;

/** Looks at one scope after the other; what is the machine's own is read once. */
export interface Probe {
  readonly facts: (subject: Subject) => HostFacts;
}

/** Returns a probe of the tree below `root` ("" is this machine). It is a snapshot: open a new one to look again. */
export function openProbe(root = ""): Probe {
  const tree = openTree(root);
  const machine = readMachine(tree);
  const shared = {
    machine,
    sudoers: readSudoers(tree),
    rootFiles: readRootFiles(tree),
    programs: programsOf(machine),
  };
  return { facts: (subject) => factsOf(shared, subject) };
}

interface Shared {
  readonly machine: Machine;
  readonly sudoers: Fact<readonly UserSpec[]>;
  readonly rootFiles: RootFiles;
  readonly programs: HostFacts["programs"];
}

function factsOf(shared: Shared, subject: Subject): HostFacts {
  const { machine } = shared;
  const running = runningOf(machine.tree, subject);
  const { passwords } = machine;
  return {
    boundary: subject.kind === "users" ? "user" : "place",
    accounts: accountsOf(shared, subject, running),
    processes:
      running === undefined ? unknown("/proc cannot be read, or holds too many processes") : known(running),
    programs: shared.programs,
    withoutPassword:
      passwords === null
        ? unknown("/etc/shadow cannot be read")
        : known([...passwords].flatMap(([name, hash]) => (hash === "" ? [name] : []))),
  };
}

function accountsOf(
  shared: Shared,
  subject: Subject,
  running: readonly Running[] | undefined,
): Fact<readonly AccountFacts[]> {
  if (shared.machine.logins === null) return unknown("/etc/passwd cannot be read");
  const uids = subject.kind === "users" ? usersOf(shared.machine, subject) : runningUids(running);
  if (uids.length === 0) return unknown("nothing runs in it now");
  if (uids.length > ACCOUNTS_MAX)
    return unknown(`${uids.length} users run in it, at most ${ACCOUNTS_MAX} are looked at`);
  return known(
    uids.map((uid) => {
      const own = (running ?? []).filter((one) => one.uid === uid).flatMap(({ gids }) => gids);
      return factsOfAccount(shared, accountOf(shared.machine, uid, new Set(own)), subject);
    }),
  );
}

/** The user of the scope, and whoever else has a uid in its subordinate ranges. */
function usersOf({ logins }: Machine, { uids }: Extract<Subject, { kind: "users" }>): number[] {
  const others = (logins ?? []).filter(({ uid }) =>
    uids.some(({ first, last }) => uid >= first && uid <= last),
  );
  return [...new Set([...uids.slice(0, 1).map(({ first }) => first), ...others.map(({ uid }) => uid)])];
}

function runningUids(running: readonly Running[] | undefined): number[] {
  return [...new Set((running ?? []).filter(({ inScope }) => inScope).map(({ uid }) => uid))];
}

function factsOfAccount(shared: Shared, account: Account, subject: Subject): AccountFacts {
  const { machine, sudoers, rootFiles } = shared;
  const { tree } = machine;
  return {
    uid: account.uid,
    name: account.name,
    groups: known(account.groups),
    sudo: sudoers.known ? known(sudoRights(account, sudoers.value)) : sudoers,
    doas: doasLines(tree, account),
    polkit: polkitRules(tree, account),
    sockets: reachableSockets(tree, account),
    devices: known(writableDevices(rootFiles, account)),
    rootFiles: known(changeable(rootFiles, account)),
    otherAccounts: known(otherAccounts(machine, account)),
    otherAdmins: otherAdmins(machine, account, sudoers),
    belongings: belongingsOf(machine, account),
    person: personSigns(machine, account),
    starters: startersOf(machine, account),
    cgroups: known(subject.kind === "cgroup" ? enterable(tree, account, subject.path) : []),
  };
}

/** The cgroups outside the scope that the account can put a process into: it writes `cgroup.procs` there. */
function enterable(tree: Tree, account: Account, own: string): string[] {
  const base = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find(
    (path) => tree.trail(`${path}/cgroup.procs`).found !== null,
  );
  if (base === undefined) return [];
  const found: string[] = [];
  let level = [""];
  for (let looked = 0; level.length > 0 && looked < CGROUPS_MAX; looked += level.length) {
    const inner = level.filter((path) => path !== `/${own}`);
    found.push(
      ...inner
        .filter((path) => mayWrite(tree.trail(`${base}${path}/cgroup.procs`), account))
        .map((path) => `${base}${path}`),
    );
    level = inner.flatMap((path) => foldersIn(tree, `${base}${path}`).map((name) => `${path}/${name}`));
  }
  return found;
}

function foldersIn(tree: Tree, path: string): string[] {
  return tree.names(path).filter((name) => {
    // Files of a cgroup are `controller.something`; a folder's name may have dots too, so the kind decides.
    const isInterface = /^(cgroup|cpu|cpuset|io|memory|pids|rdma|hugetlb|misc|irq|dmem)\.[a-z0-9_.]+$/.test(
      name,
    );
    return !isInterface && tree.trail(`${path}/${name}`).found?.isDirectory() === true;
  });
}
