import type { Finished } from "./command.ts";
import type { Namespace } from "./namespace.ts";

const UFW_DEADLINE_MS = 30_000;

export type Ufw = {
  readonly run: (...args: readonly string[]) => Promise<Finished>;
  readonly reload: () => Promise<Finished>;
};

/** Turns the real ufw on in the namespace: deny incoming, allow outgoing, and `rules` ("allow 22/tcp"). */
export async function startUfw(namespace: Namespace, rules: readonly string[]): Promise<Ufw> {
  const ufw = async (...args: readonly string[]) => {
    const result = await namespace.run(["ufw", ...args], { deadlineMs: UFW_DEADLINE_MS });
    if (result.code !== 0) throw new Error(`ufw ${args.join(" ")}: ${result.stdout}${result.stderr}`);
    return result;
  };
  await ufw("default", "deny", "incoming");
  for (const rule of rules) await ufw(...rule.split(" "));
  await ufw("--force", "enable");
  return { run: ufw, reload: () => ufw("reload") };
}
