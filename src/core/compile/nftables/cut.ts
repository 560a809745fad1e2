/**
 * What becomes of connections that a change of policy ended. They are marked and not deleted from the connection
 * table: the next packet of a deleted one would begin a new connection, whichever side sends it.
 */
import { CUT_FIRST, CUT_LAST, MARK_MASK } from "./mark.ts";
import { goTo } from "./place.ts";
import type { Chain } from "./ruleset.ts";
import { hex32, name, type Nft, nft, quoted } from "./text.ts";
import { counterOf, denialTitle } from "./verdict.ts";

/** Answers of ended connections; what began them is counted by the rule that refuses it. */
export const CUT_COUNTER = counterOf("ended", "answers on connections that a change of policy ended");
/** LIMIT: bytes of a reset: the headers of IPv6 and TCP with every option. It is to carry nothing else. */
const RESET_BYTES_MAX = 100;

/** Returns the chains that end connections, for what enters and for what leaves. */
export function cutChains(generation: number): Chain[] {
  const answers = `g${generation}/ended`;
  const refuse = nft`ct direction reply counter name ${quoted(CUT_COUNTER.name)} ${goTo(denialTitle(generation, "refuse"))}`;
  return [
    { name: answers, about: "ended by a change of policy: nothing comes back", rules: [refuse] },
    {
      name: `${answers}/sent`,
      about: "ended by a change of policy: the other side may be told",
      rules: [nft`tcp flags and rst == rst meta length <= ${RESET_BYTES_MAX} accept`, refuse],
    },
  ];
}

/** Returns what is asked of every packet that enters, before answers pass. */
export function endedIn(generation: number): Nft {
  return nft`${isEnded()} jump ${name(`g${generation}/ended`)}`;
}

/** Returns what is asked of every packet that a process of this host sends, before answers pass. */
export function endedOut(generation: number): Nft {
  return nft`${isEnded()} jump ${name(`g${generation}/ended/sent`)}`;
}

function isEnded(): Nft {
  return nft`ct mark and ${hex32(MARK_MASK)} ${hex32(CUT_FIRST)}-${hex32(CUT_LAST)}`;
}
