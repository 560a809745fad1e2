// Prepares this checkout (npm packages, Debian packages, dist/) and runs one task under Node 24.
// Plain JavaScript without dependencies, because it starts under any Node from 18 on. It talks on stderr only,
// so that a task's standard output stays clean, and says nothing when there is nothing to do.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBuild } from "./script/bootstrap/build.mjs";
import { Failure, say } from "./script/bootstrap/failure.mjs";
import { ensureModules, findNode } from "./script/bootstrap/modules.mjs";
import { prepareDebian } from "./script/prepare-debian.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));

/** `run`: the program a task goes on with. `debian`: the system packages it needs first. */
const TASKS = {
  build: {},
  cli: { run: ["dist/cli/main.js"] },
  lab: { run: ["dist/cli/main.js", "lab"], debian: "start" },
  check: { run: ["script/check.ts"] },
  test: { run: ["script/check.ts", "--all"], debian: "test" },
  soak: { run: ["script/soak.ts"], debian: "start" },
  deb: { run: ["script/build-deb.ts"] },
  tarball: { run: ["script/build-tarball.ts"] },
  bench: { run: ["script/bench/main.ts"], debian: "start" },
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  say(error.message);
  if (error.help) say(`  Next: ${error.help}`);
  process.exitCode = error.exitCode;
}

async function main([name = "", ...args]) {
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (!task) {
    throw new Failure(`unknown task \`${name}\``, `node bootstrap.mjs ${Object.keys(TASKS).join("|")}`);
  }
  await ensureModules(ROOT);
  const node = findNode(ROOT);
  await ensureBuild(ROOT, node);
  if (task.debian) ensureDebian(task.debian);
  return task.run ? await runUnder(node, task.run, args) : 0;
}

/** Stops when a system package cannot be had; the tests go on and count it as a failure of theirs. */
function ensureDebian(purpose) {
  const result = prepareDebian(purpose, say);
  if (result.ok) return;
  if (purpose !== "test") throw new Failure(result.message, result.command, result.exitCode);
  process.env.SEAWALL_TEST_MISSING = `${result.message} Next: ${result.command}`;
}

/** Runs the program with Node 24 first in PATH and returns its exit code. */
async function runUnder(node, [program, ...fixed], args) {
  const file = join(ROOT, program);
  if (!existsSync(file)) throw new Failure(`${program} is not part of this checkout`, "git status");
  const env = {
    ...process.env,
    PATH: `${dirname(node)}:${process.env.PATH || "/usr/sbin:/usr/bin:/sbin:/bin"}`,
  };
  const child = spawn(node, [file, ...fixed, ...args], { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole process group, so the child has it already.
      const isFromTerminal = process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT");
      if (!isFromTerminal) child.kill(signal);
    });
  }
  return await new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Failure(`cannot start ${node}: ${error.message}`)));
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
