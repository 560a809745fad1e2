import { isOrdinaryProgram, POWERFUL_CAPABILITIES } from "./baseline.ts";
import type { HostFacts, ProcessFacts, Reason } from "./facts.ts";
import { evidenceOf, judge } from "./reason.ts";

/** Returns what the processes that run now say against a scope. */
export function processReasons({ processes, boundary }: HostFacts): readonly Reason[] {
  return judge(processes, "process", "what its processes may do", (list) => [
    ...capabilityReasons(list),
    ...(boundary === "place" ? outsideReasons(list) : []),
  ]);
}

/**
 * Of root's own processes the account says enough. A program of the distribution that has its capabilities from its
 * file, as ping has, uses them as it was written to.
 */
function capabilityReasons(processes: readonly ProcessFacts[]): readonly Reason[] {
  const able = processes.flatMap((one) => {
    const powers = one.capabilities.filter((name) => POWERFUL_CAPABILITIES.has(name) || /-/.test(name));
    const isOrdinary = one.program !== null && isOrdinaryProgram(one.program);
    return one.uid === 0 || isOrdinary || powers.length === 0
      ? []
      : [`${one.command}[${one.pid}] ${powers.join("+")}`];
  });
  if (able.length === 0) return [];
  return [
    {
      id: "capability",
      sentence: "a process of it has capabilities that change who it is, or the rules",
      evidence: evidenceOf(able),
      cure: "take them away where it is started: CapabilityBoundingSet= and AmbientCapabilities= of its unit",
      effect: "escapes",
    },
  ];
}

/** The same user, seen outside: whatever started those processes starts more. */
function outsideReasons(processes: readonly ProcessFacts[]): readonly Reason[] {
  const outside = processes.filter(({ inScope, uid }) => !inScope && uid !== 0);
  if (outside.length === 0) return [];
  return [
    {
      id: "process-outside",
      sentence: "processes of the same user run outside the scope and are not judged",
      evidence: evidenceOf(outside.map(({ command, pid }) => `${command}[${pid}]`)),
      cure: "judge it by user, or start the agent anew so that all of it is inside",
      effect: "escapes",
    },
  ];
}
