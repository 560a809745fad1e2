/** Tries every known way around the policy in force from where the agent is, and judges what came back. */
import { randomBytes } from "node:crypto";
import type { Folders } from "../edge/state/folder.ts";
import type { Entry } from "./corpus/entry.ts";
import { ACCOUNT } from "./corpus/account.ts";
import { HOST } from "./corpus/host.ts";
import { INTERNET } from "./corpus/internet.ts";
import { NAME } from "./corpus/name.ts";
import { RESOLVER } from "./corpus/resolver.ts";
import { breaksPromise, notShown, type ProofRow } from "./row.ts";
import { type Scene, withScene } from "./scene.ts";
import { scopesOf, subjectInForce } from "./subject.ts";

export interface ProofRequest {
  readonly folders: Folders;
  /** One scope, or all. */
  readonly scope: string | undefined;
  readonly nowMs: () => number;
}

export interface Proof {
  /** `observe`: outbound is only watched. */
  readonly mode: "observe" | "enforce";
  readonly policy: string;
  /** Whether the policy waits for its confirm. */
  readonly isPending: boolean;
  readonly rows: readonly ProofRow[];
  readonly summary: {
    readonly held: number;
    readonly notHeld: number;
    readonly notPossible: number;
    /** Rows that are not held although the policy promises it. */
    readonly broken: number;
    readonly seconds: number;
  };
}

export const CORPUS: readonly Entry[] = [...INTERNET, ...NAME, ...HOST, ...ACCOUNT, ...RESOLVER];
const NONCE_BYTES = 6;

/** Returns a row for every way and scope. Refuses where nothing outbound is in force. Needs root. */
export async function prove({ folders, scope: wanted, nowMs }: ProofRequest): Promise<Proof> {
  const begunMs = nowMs();
  const { policy, status } = subjectInForce(folders, begunMs);
  const rows: ProofRow[] = [];
  for (const scope of scopesOf(policy, wanted)) {
    const nonce = randomBytes(NONCE_BYTES).toString("hex");
    const request = { policy, scope, state: folders.state, nowMs, nonce, lists: true };
    rows.push(...(await withScene(request, tryAll)));
  }
  const count = (state: ProofRow["status"]): number => rows.filter((row) => row.status === state).length;
  return {
    mode: policy.mode.outbound,
    policy: status.policy?.path ?? "",
    isPending: status.state === "pending",
    rows,
    summary: {
      held: count("held"),
      notHeld: count("not-held"),
      notPossible: count("not-possible"),
      broken: rows.filter(breaksPromise).length,
      seconds: Math.round((nowMs() - begunMs) / 100) / 10,
    },
  };
}

function tryAll(scene: Scene): Promise<ProofRow[]> {
  return Promise.all(
    CORPUS.map(async ({ id, title, run }): Promise<ProofRow> => {
      // One way that cannot be tried must not hide what the others found.
      const judged = await run(scene).catch((error: unknown) =>
        notShown(error instanceof Error ? error.message : String(error)),
      );
      return { scope: scene.scope.name, id, title, ...judged };
    }),
  );
}
