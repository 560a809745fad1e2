import { foreignTables, seawallOk, status, tableNames } from "../seawall.ts";
import { fact, type Scene } from "./scene.ts";

/** Everything of ours goes, and nothing of others was changed. `tables` is what others had in the beginning. */
export async function leave({ ledger }: Scene, tables: string): Promise<void> {
  ledger.chapter("Down: nothing of ours stays");
  const now = foreignTables();
  const same = now === tables && tables !== "" ? "unchanged" : "changed";
  const compared = `${Buffer.byteLength(now)} bytes compared`;
  ledger.row(fact("Docker's tables are byte for byte as they were", "both", "unchanged", same, compared));
  seawallOk("down");
  const ours = tableNames().filter((name) => name.includes("seawall")).length;
  const claim = "nothing of Seawall is in the kernel, the rest is as it was";
  const rest = foreignTables() === tables ? "unchanged" : "changed";
  ledger.row(
    fact(claim, "both", "0 tables, unchanged", `${ours} tables, ${rest}`, `status ${status().state}`),
  );
  await ledger.settle();
}
