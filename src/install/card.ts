/** The way back, short enough to be written on a card. */
import { LIBRARY } from "./payload.ts";

/** Returns what the operator should keep where Seawall cannot reach it. */
export function wayBackCard(): readonly { readonly command: string; readonly meaning: string }[] {
  return [
    {
      command: "seawall rescue",
      meaning: "as root, by SSH or at the console: SSH and the guards stay, all else opens",
    },
    { command: `nft -f ${LIBRARY}/rescue.nft`, meaning: "the same in one line, at your provider's console" },
    { command: "seawall=off", meaning: "on the kernel's command line: this boot loads no policy of Seawall" },
  ];
}
