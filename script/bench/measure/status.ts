/** `seawall status` as a person runs it, beside an empty Node program and `ufw status`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { processMs, requireProgram, run } from "../command.ts";
import { type BenchContext, freshFolders, seawallCommand } from "../context.ts";
import { writePolicy } from "../policy.ts";
import { type BenchResult, compare, figuresOf } from "../result.ts";
import { interleave } from "../sample.ts";

const STATUS = "./seawall status";
const NODE = "node -e 0";
const UFW = "ufw status";
const NFT = "nft list table inet seawall";
const RULES = 10;

/** Returns the times of whole processes while a small policy is in force. */
export async function measure(context: BenchContext): Promise<BenchResult> {
  requireProgram("nft", "nftables");
  requireProgram("ufw");
  const node = process.execPath;
  const env = freshFolders(context);
  const seawall = join(context.root, "seawall");
  if (!existsSync(seawall)) throw new Error(`${seawall} is not there`);
  const policy = writePolicy(context.folder, "small.yaml", { rules: RULES });
  run(["ufw", "--force", "enable"]);
  run(seawallCommand(context, "apply", policy), { env });
  run(seawallCommand(context, "confirm", "--console"), { env });
  const shown = run([seawall, "status"], { env });
  if (!/^inbound +ENFORCED$/m.test(shown))
    throw new Error(`status does not say that inbound is enforced: ${shown.split("\n")[0]}`);
  const samples = await interleave(
    [
      { name: STATUS, once: () => processMs([seawall, "status"], { env }) },
      { name: NODE, once: () => processMs([node, "-e", "0"]) },
      { name: UFW, once: () => processMs(["ufw", "status"]) },
      { name: NFT, once: () => processMs(["nft", "list", "table", "inet", "seawall"]) },
    ],
    context.quick ? 9 : 41,
    2,
  );
  return {
    name: "status",
    title: `whole processes, ${RULES} rules in force`,
    figures: figuresOf(samples, "ms"),
    comparisons: [
      compare(samples, { over: STATUS, under: NODE, goal: { bound: "at most", ratio: 1.5 } }),
      compare(samples, { over: STATUS, under: UFW, goal: { bound: "at most", ratio: 1 } }),
    ],
    notes: [],
  };
}
