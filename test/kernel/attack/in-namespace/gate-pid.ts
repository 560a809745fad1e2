// A gate that is taken over, without an honest gate: it links, leaves its socket to a child and ends; root's next process
// gets its number. Prints what is left. Runs itself again in a namespace of process numbers.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openLinkServer } from "../../../../src/daemon/gate/link-server.ts";
import { libc } from "../../../../src/edge/kernel/netlink/libc.ts";
import { openChecked } from "../../../../src/edge/kernel/peer-process.ts";

const ME = fileURLToPath(import.meta.url);
const GATE_UID = 64_953;
const WAIT_MS = 30_000;
const LAST_PID = "/proc/sys/kernel/ns_last_pid";
const AS_GATE = [`--reuid=${GATE_UID}`, `--regid=${GATE_UID}`, "--clear-groups"];
const [role, path = ""] = process.argv.slice(2);

if (role === undefined) {
  const { stdout, stderr, status } = spawnSync(
    "unshare",
    ["-m", "-p", "-f", "--kill-child", "--mount-proc", process.execPath, ME, "inside"],
    { encoding: "utf8", timeout: WAIT_MS * 2 },
  );
  process.stderr.write(stderr);
  process.stdout.write(stdout);
  process.exitCode = status ?? 1;
} else if (role === "gate") beGate();
else await judge();

/** Links, and leaves an open socket behind. */
function beGate(): void {
  const socket = connect({ path });
  const hello = Buffer.from(JSON.stringify({ kind: "hello", pid: 1, version: "0" }));
  const header = Buffer.alloc(4);
  header.writeUInt32LE(hello.length);
  socket.once("connect", () =>
    socket.write(Buffer.concat([header, hello]), () => {
      spawn("sleep", ["300"], { stdio: [socket, "ignore", "ignore"], detached: true }).unref();
      process.stdout.write(`${process.pid}\n`, () => process.exit(0));
    }),
  );
}

async function judge(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-gate-pid-"));
  chmodSync(folder, 0o711);
  const socketPath = join(folder, "gate.sock");
  let lost = false;
  let linked = false;
  const said: string[] = [];
  const server = await openLinkServer({
    path: socketPath,
    gateUid: GATE_UID,
    onLink: () => (linked = true),
    onMessage: () => undefined,
    onLoss: () => (lost = true),
    ownPid: () => null,
    isOwnWanted: () => true,
    killOwn: () => undefined,
    say: (sentence) => said.push(sentence),
  });
  const gate = spawn("setpriv", [...AS_GATE, process.execPath, ME, "gate", socketPath]);
  await new Promise((done) => gate.once("exit", done));
  await until(() => linked);
  const innocent = await processNumbered(gate.pid ?? 0);
  await until(() => {
    server.ping(performance.now());
    return lost;
  });
  await sleep(200);
  const result = {
    hasInnocent: innocent !== null,
    lost,
    innocentLives: innocent !== null && isAlive(innocent),
    said,
    ...(await byNumber()),
  };
  server.close();
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

/** The way of kernels before 6.5: a number that is looked up. */
async function byNumber(): Promise<Record<string, unknown>> {
  const gate = spawn("setpriv", [...AS_GATE, "sleep", "300"]);
  const pid = gate.pid ?? 0;
  await until(() => readFileSync(`/proc/${pid}/comm`, "latin1") === "sleep\n");
  const wrongUser = openChecked(pid, GATE_UID + 1);
  const pidfd = openChecked(pid, GATE_UID) ?? -1;
  gate.kill("SIGKILL");
  await new Promise((done) => gate.once("exit", done));
  const gone = openChecked(pid, GATE_UID);
  const innocent = await processNumbered(pid);
  const ofRoot = innocent === null ? null : openChecked(innocent, GATE_UID);
  const sent = libc().pidfdSignal(pidfd, 9);
  await sleep(200);
  return {
    opened: pidfd >= 0,
    refused: [wrongUser, gone, ofRoot, openChecked(innocent ?? 1, 0), openChecked(1, 0)],
    sent,
    secondLives: innocent !== null && isAlive(innocent),
  };
}

/** Starts a process of root's with this number, or returns null where the kernel gives none away. */
async function processNumbered(pid: number): Promise<number | null> {
  if (!existsSync(LAST_PID)) return null;
  for (let tries = 0; tries < 200; tries += 1) {
    writeFileSync(LAST_PID, String(pid - 1));
    const made = spawn("sleep", ["300"], { stdio: "ignore" });
    if (made.pid === pid) return pid;
    made.kill("SIGKILL");
    await sleep(20);
  }
  return null;
}

function isAlive(pid: number): boolean {
  return /^State:\s+[RSD]/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
}

async function until(is: () => boolean): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!is()) {
    if (performance.now() > endMs) throw new Error("waited in vain");
    await sleep(20);
  }
}
