/** A refusal by its id, as the log has it. */
import { SeawallError } from "../core/base/error.ts";
import { idForm } from "../core/gate/refusal.ts";
import { closeStore, openStoreReadOnly, type Store } from "../edge/store/database.ts";
import { listFlows, listRefusalIds, type StoredFlow } from "../edge/store/flow-query.ts";

export interface FoundRefusal {
  readonly id: string;
  /** The newest. */
  readonly flow: StoredFlow;
  readonly times: number;
  readonly firstMs: number;
  /** The newest of each target: one, unless two share an id, as those of 0.1.0 can be made to. */
  readonly targets: readonly StoredFlow[];
}

/** LIMIT: refusals of one id that are counted. */
const COUNTED_MAX = 10_000;
/** LIMIT: ids and targets that are told apart and shown. */
const SHOWN_MAX = 5;

/**
 * Returns what the log knows of an id, or of the only id that begins so. Refuses one that it does not hold, and a
 * beginning that several have, with these.
 */
export function findRefusal(state: string, text: string): FoundRefusal {
  const store = openStoreReadOnly(state);
  if (store === undefined) throw notFound(text);
  try {
    return findIn(store, text);
  } finally {
    closeStore(store);
  }
}

function findIn(store: Store, text: string): FoundRefusal {
  const id = wholeId(store, text);
  const flows = listFlows(store, { refusal: id, limit: COUNTED_MAX });
  const flow = flows.at(-1);
  if (flow === undefined) throw notFound(text);
  const targets = listFlows(store, { targetsOf: id, limit: SHOWN_MAX }).reverse();
  return { id, flow, times: flows.length, firstMs: flows[0]?.timeMs ?? flow.timeMs, targets };
}

function wholeId(store: Store, text: string): string {
  if (idForm(text) === "full") return text;
  const ids = listRefusalIds(store, text, SHOWN_MAX);
  const [only] = ids;
  if (only === undefined) throw notFound(text);
  if (ids.length === 1) return only;
  throw new SeawallError("SEAWALL_USAGE", `\`${text}\` is the beginning of several ids: ${ids.join(", ")}`, {
    help: `seawall explain ${only}`,
  });
}

function notFound(text: string): SeawallError {
  return new SeawallError("SEAWALL_NOT_FOUND", `the log has no refusal \`${text}\``, {
    help: "seawall flows --verdict refuse",
  });
}
