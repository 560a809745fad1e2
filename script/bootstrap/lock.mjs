import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Failure, say } from "./failure.mjs";

const WAIT_LIMIT_MS = 20 * 60_000;
const POLL_MS = 100;

/**
 * Runs `work` while no other process on this machine holds the same lock file, and returns its result.
 * A lock whose owner is dead is taken over.
 */
export async function withLock(lock, work) {
  mkdirSync(dirname(lock), { recursive: true });
  const owner = `${process.pid} ${startTime(process.pid)}`;
  const draft = `${lock}.${process.pid}`;
  // INVARIANT: the lock appears by link(2), whole, so nobody ever sees one without an owner.
  writeFileSync(draft, owner);
  try {
    await acquire(lock, draft);
  } finally {
    rmSync(draft, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function acquire(lock, draft) {
  const deadline = Date.now() + WAIT_LIMIT_MS;
  let hasSaid = false;
  while (!tryLink(draft, lock)) {
    const holder = read(lock);
    if (holder === null) continue;
    if (!isAlive(holder)) {
      bury(lock, holder);
      continue;
    }
    if (!hasSaid)
      say(`waiting for another copy (process ${holder.split(" ")[0]}) that prepares this checkout`);
    hasSaid = true;
    if (Date.now() > deadline)
      throw new Failure("another copy prepares this checkout and does not end", `rm ${lock}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function isAlive(holder) {
  const [pid, started] = holder.split(" ");
  return startTime(pid) === started;
}

/** Field 22 of /proc/PID/stat: a reused process id has another one. */
function startTime(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? "gone" : stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Removes a dead owner's lock; gives back one that somebody else has taken in the meantime. */
function bury(lock, holder) {
  const grave = `${lock}.${process.pid}.dead`;
  try {
    renameSync(lock, grave);
  } catch {
    return;
  }
  if (read(grave) !== holder) tryLink(grave, lock);
  rmSync(grave, { force: true });
}
