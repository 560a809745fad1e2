import { MODEL, PORT } from "../address.ts";
import { policyFile, removePolicyFile, seawallOk } from "../seawall.ts";
import { fact, outTo, type Scene } from "./scene.ts";

/** What `seawall explain ... --json` says, as far as this chapter reads it. */
interface Explained {
  readonly inForce: { readonly history: number | null; readonly verdict: string | null } | null;
  readonly draft: { readonly verdict: string | null } | null;
}

/** The installed file forbids what is in force allows, and nobody has applied it. */
export async function draft({ world, ledger, policies }: Scene): Promise<void> {
  ledger.chapter("The file is edited and not applied: explain speaks of the kernel");
  policyFile("policy", policies.draft);
  await ledger.attempt({
    claim: "a file that blocks the model changes nothing on the wire",
    direction: "outbound",
    probes: outTo(world.agent, [MODEL[0]], PORT.https),
    wire: "connected",
    log: "accept model",
  });
  const explain = (...words: readonly string[]): Explained =>
    JSON.parse(seawallOk("explain", `${MODEL[0]}:${PORT.https}`, "--json", ...words)) as Explained;
  const { inForce, draft: file } = explain();
  ledger.row(
    fact(
      "explain: accepted by what is in force; the file would refuse",
      "outbound",
      "accept, refuse",
      `${inForce?.verdict}, ${file?.verdict}`,
      `history ${inForce?.history}`,
    ),
  );
  const alone = explain("--draft");
  ledger.row(
    fact(
      "explain --draft: the file alone, and said to be one",
      "outbound",
      "refuse, nothing of force",
      `${alone.draft?.verdict}, ${alone.inForce === null ? "nothing of force" : "force"}`,
    ),
  );
  removePolicyFile("policy");
  await ledger.settle();
}
