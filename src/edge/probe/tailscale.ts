/** Tailscale, by its own word. */
import type { TailscaleFacts } from "../../core/audit/fact/tailscale.ts";
import { parseServes } from "../../core/audit/read/tailscale.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { findProgram } from "../host/command.ts";
import { ask } from "./ask.ts";
import type { ProcessTable } from "./process.ts";

export async function readTailscale(table: ProcessTable): Promise<Reading<TailscaleFacts>> {
  if (findProgram("tailscale") === undefined) return absent("Tailscale is not installed");
  if (!table.all.some(({ comm }) => comm === "tailscaled")) return read({ running: false, serves: [] });
  const serve = await ask("tailscale", ["serve", "status", "--json"], { deadlineMs: 5_000 });
  if (serve?.status !== 0)
    return unreadable(
      `tailscale serve status: ${serve?.stderr.trim().split("\n")[0] ?? "does not answer"}`,
      "tailscale serve status",
    );
  return read({ running: true, serves: parseServes(serve.stdout) });
}
