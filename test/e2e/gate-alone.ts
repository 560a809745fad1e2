import { createInterface } from "node:readline";
import { z } from "zod";
import type { Host } from "../support/host/host.ts";
import { SEAWALL } from "../support/host/seawall.ts";
import { RESOLVER } from "./internet/zone.ts";

const UP_DEADLINE_MS = 30_000;

const LINE = z.object({
  door: z.string(),
  host: z.string().nullable(),
  port: z.number(),
  id: z.string().nullable(),
  verdict: z.enum(["accept", "refuse", "drop"]),
  reason: z.string(),
});

/** One decision as `seawall gate --json` prints it. */
export type GateLine = z.infer<typeof LINE>;

/** Starts `seawall gate` as proxy on 127.0.0.1:18901 and resolver on 127.0.0.1:53. Returns what it decides, as it does. */
export async function startGate(host: Host, policy: string): Promise<readonly GateLine[]> {
  const file = "/run/gate-policy.yaml";
  await host.shell(`cat >${file}`, { input: policy });
  const places = ["--proxy", "127.0.0.1:18901", "--dns", "127.0.0.1:53", "--upstream", `${RESOLVER}:53`];
  const child = host.start([...SEAWALL, "gate", "--policy", file, ...places, "--json"]);
  child.stdin?.end();
  const decisions: GateLine[] = [];
  if (!child.stdout || !child.stderr) throw new Error("the gate has no pipes");
  createInterface({ input: child.stdout }).on("line", (line) => decisions.push(LINE.parse(JSON.parse(line))));
  const { stderr } = child;
  await new Promise<void>((resolve, reject) => {
    let said = "";
    const fail = () => reject(new Error(`seawall gate is not ready: ${said}`));
    const timer = setTimeout(fail, UP_DEADLINE_MS);
    child.once("close", fail);
    stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (!said.includes("ready")) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return decisions;
}
