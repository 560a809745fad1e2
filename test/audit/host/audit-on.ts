/** Runs the audit inside a private host and returns its findings by id. */
import { type Finished, describe, runOk } from "../../support/host/command.ts";
import { ENVIRONMENT, type Namespace } from "../../support/host/namespace.ts";
import { SEAWALL } from "../../support/host/seawall.ts";

const DEADLINE_MS = 60_000;

export type Seen = {
  readonly status: string;
  readonly severity: string;
  readonly evidence: readonly string[];
  readonly fix: string | null;
};

export type Audited = Readonly<Record<string, Seen>>;

type Runner = Pick<Namespace, "run">;

/** `args` choose what is looked at: `--layer ssh`, `--check SSH-002`. */
export async function audited(host: Runner, ...args: readonly string[]): Promise<Audited> {
  const result = await auditRun(host, "--json", "--no-history", ...args);
  const { findings } = JSON.parse(result.stdout) as { findings: (Seen & { readonly id: string })[] };
  return Object.fromEntries(findings.map((finding) => [finding.id, finding]));
}

export async function auditRun(host: Runner, ...args: readonly string[]): Promise<Finished> {
  const result = await host.run([...SEAWALL, "audit", ...args], { deadlineMs: DEADLINE_MS });
  if (result.code !== 0 && result.code !== 1)
    throw new Error(`seawall audit ${args.join(" ")}: ${describe(result)}`);
  return result;
}

/** Runs a shell script inside; throws when it fails. */
export function shellIn(namespace: Namespace, script: string, input = ""): Promise<string> {
  return runOk(namespace.inside(["sh", "-euc", script]), {
    env: ENVIRONMENT,
    cwd: "/",
    input,
    deadlineMs: DEADLINE_MS,
  });
}

/** The evidence of one finding as one text, for a message or a match. */
export function said(audit: Audited, id: string): string {
  return (audit[id]?.evidence ?? []).join("\n");
}
