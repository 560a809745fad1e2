/** Whether seawalld keeps what happens. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";

/** Without a daemon nothing is recorded; with nothing in force there is nothing to record. */
export function daemonLines({ daemon, generation }: Status): string[] {
  if (daemon === null)
    return generation === null ? [] : ["seawalld       NONE RUNS: rules hold, connections are not recorded"];
  const lost =
    daemon.lost === 0 ? [] : [`seawalld       ${daemon.lost} events were lost; the counters are exact`];
  return [
    ...daemon.trouble.map((why) => `seawalld       RECORDING FAILS: ${plain(why)}; rules hold all the same`),
    ...lost,
  ];
}
