/** A refusal by its id, as the log has it. */
import { SeawallError } from "../core/base/error.ts";
import { closeStore, openStoreReadOnly } from "../edge/store/database.ts";
import { listFlows, type StoredFlow } from "../edge/store/flow-query.ts";

export interface FoundRefusal {
  readonly id: string;
  /** The newest. */
  readonly flow: StoredFlow;
  readonly times: number;
  readonly firstMs: number;
}

/** LIMIT: refusals of one id that are counted. */
const COUNTED_MAX = 10_000;

/** Returns what the log knows of an id. Refuses one that it does not hold. */
export function findRefusal(state: string, id: string): FoundRefusal {
  const store = openStoreReadOnly(state);
  const flows = store === undefined ? [] : listFlows(store, { refusal: id, limit: COUNTED_MAX });
  if (store !== undefined) closeStore(store);
  const flow = flows.at(-1);
  if (flow === undefined) {
    throw new SeawallError("SEAWALL_NOT_FOUND", `the log has no refusal \`${id}\``, {
      help: "seawall flows --verdict refuse",
    });
  }
  return { id, flow, times: flows.length, firstMs: flows[0]?.timeMs ?? flow.timeMs };
}
