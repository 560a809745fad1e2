/** Keys of refusals for tests: known ones, so that ids can be written down. */
import { KEY_BYTES, refusalKey, type RefusalKey } from "../../src/core/gate/refusal.ts";

/** Returns the key of a scope under a secret of zeros. */
export function testKey(scope = "agent"): RefusalKey {
  return refusalKey(new Uint8Array(KEY_BYTES), "boot", scope);
}
