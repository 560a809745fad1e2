import { fileURLToPath } from "node:url";
import { type Finished, describe } from "./command.ts";
import type { Host } from "./host.ts";

const APPLY_DEADLINE_MS = 60_000;
const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

/** The command line of Seawall in this checkout, for use inside a host. */
export const SEAWALL: readonly string[] = [process.execPath, MAIN];

/** The same as one word for a shell: `sudo ${SEAWALL_WORDS} confirm`. */
export const SEAWALL_WORDS = SEAWALL.map((word) => `'${word}'`).join(" ");

export type Status = {
  readonly containment: string;
  readonly state: "off" | "observing" | "enforcing" | "pending" | "panic" | "drifted";
  readonly generation: number | null;
  /** RFC 3339, or null when nothing waits. */
  readonly confirmBy: string | null;
};

export type SeawallOnHost = {
  /** Writes a policy on the host and returns its path. */
  readonly policy: (text: string) => Promise<string>;
  readonly run: (...args: readonly string[]) => Promise<Finished>;
  /** Runs a command that must succeed, and says why when it does not. */
  readonly ok: (...args: readonly string[]) => Promise<string>;
  readonly status: () => Promise<Status>;
  /** Takes a candidate back if one waits. */
  readonly withdraw: () => Promise<void>;
  /** Applies and confirms at the console. */
  readonly enforce: (text: string) => Promise<void>;
};

/** Runs Seawall's own command line on the host, as root at the console. */
export function seawallOn(host: Host): SeawallOnHost {
  let policies = 0;
  const run = (...args: readonly string[]) =>
    host.run([...SEAWALL, ...args], { deadlineMs: APPLY_DEADLINE_MS });
  const ok = async (...args: readonly string[]) => {
    const result = await run(...args);
    if (result.code !== 0) throw new Error(`seawall ${args.join(" ")}: ${describe(result)}`);
    return result.stdout;
  };
  const policy = async (text: string) => {
    policies += 1;
    const path = `/run/policy-${policies}.yaml`;
    await host.shell(`cat >${path}`, { input: text });
    return path;
  };
  const status = async () => JSON.parse(await ok("status", "--json")) as Status;
  return {
    policy,
    run,
    ok,
    status,
    withdraw: async () => {
      if ((await status()).state === "pending") await ok("rollback");
    },
    enforce: async (text) => {
      await ok("apply", await policy(text));
      await ok("confirm", "--console");
    },
  };
}

/** An inbound policy in one line a rule: `inbound("ssh from any", "9000 from 198.51.100.0/24")`. */
export function inbound(...rules: readonly string[]): string {
  const lines = rules.map((rule) => {
    const [service, from] = rule.split(" from ");
    return `  - allow: ${service}\n    from: ${from}\n    why: a rule of this test\n`;
  });
  return `version: 1\nmode: enforce\ninbound:\n${lines.join("")}`;
}
