/** `seawall audit` of the machine that it runs on, beside `lynis audit system`, a shell script with the same aim. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { processMs, run } from "../command.ts";
import { type BenchContext, freshFolders, seawallCommand } from "../context.ts";
import { type BenchResult, compare, figuresOf } from "../result.ts";
import { interleave } from "../sample.ts";
import { toolPath } from "../tool.ts";

const AUDIT = "seawall audit --no-history";
const QUICK = "seawall audit --quick --no-history";
const LYNIS = "lynis audit system --quick";
const FINDINGS = [0, 1, 2];
const DEADLINE_MS = 400_000;

/** Returns the times of whole processes. Both look at this machine and change nothing of it. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  const env = freshFolders(context);
  const audit = (...words: readonly string[]): number =>
    processMs(seawallCommand(context, "audit", "--no-history", ...words), { env, accept: FINDINGS });
  const lynis = lynisCommand(context);
  const samples = await interleave(
    [
      { name: AUDIT, once: () => audit() },
      { name: QUICK, once: () => audit("--quick") },
      { name: LYNIS, once: () => processMs(lynis, { accept: FINDINGS, deadlineMs: DEADLINE_MS }) },
    ],
    context.quick ? 1 : 3,
  );
  const found = run(seawallCommand(context, "audit", "--no-history", "--json"), { env, accept: FINDINGS });
  return {
    name: "audit",
    title: "an audit of the machine, whole processes",
    figures: figuresOf(samples, "ms"),
    comparisons: [
      compare(samples, { over: LYNIS, under: QUICK }),
      compare(samples, { over: LYNIS, under: AUDIT }),
    ],
    notes: [
      `Seawall's audit gave ${checksIn(found)} verdicts. What either looks for is not the same list.`,
      "docker-bench-security, another peer, is in no package archive of Debian and so not measured.",
    ],
  };
}

function checksIn(text: string): number {
  const { findings } = JSON.parse(text) as { readonly findings: readonly unknown[] };
  return findings.length;
}

/** Lynis looks for its parts in the folder it is called from when it was unpacked and not installed. */
function lynisCommand(context: BenchContext): string[] {
  const options = ["--quick", "--no-colors", "--quiet", "--logfile", "/dev/null"];
  const report = ["--report-file", join(context.folder, "lynis-report.dat")];
  const installed = ["lynis", "audit", "system", ...options, ...report];
  if (context.tools === null) return installed;
  const root = join(context.tools, "root");
  const parts = join(root, "usr/share/lynis");
  if (!existsSync(parts)) return installed;
  const program = toolPath(context.tools, "lynis");
  const etc = join(root, "etc/lynis");
  const profile = ["--profile", join(etc, "default.prf"), "--plugindir", join(etc, "plugins")];
  const words = [program, "audit", "system", ...options, ...report, ...profile];
  return ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", parts, ...words];
}
