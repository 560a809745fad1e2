import type { Namespace } from "./namespace.ts";

/**
 * Every rule on the host that is not Seawall's, as text: both iptables dumps and the nft listing without
 * `table inet seawall`. Counters, time stamps and dynamic handles are left out; everything else is byte for byte.
 */
export async function othersTables(namespace: Namespace): Promise<string> {
  const parts: string[] = [];
  for (const command of [["iptables-save"], ["ip6tables-save"], ["nft", "-s", "list", "ruleset"]]) {
    const result = await namespace.run(command);
    if (result.code !== 0) throw new Error(`${command.join(" ")}: ${result.stderr}`);
    parts.push(withoutSeawall(result.stdout));
  }
  return parts
    .join("\n")
    .replace(/^# (?:Generated|Completed) .*$/gm, "")
    .replace(/\[\d+:\d+\]/g, "[]");
}

/** Elements that come and go by themselves: a lease, and what was logged first. */
const OF_ITSELF = /^\t\telements = \{[^}]*(?:limit rate|ct count|timeout)[^}]*\}\n/gm;

/** `nft -s list table inet seawall`, or "" when there is none. A lease that runs out by itself changes nothing in it. */
export async function seawallTable(namespace: Namespace): Promise<string> {
  const result = await namespace.run(["nft", "-s", "list", "table", "inet", "seawall"]);
  return result.code === 0 ? result.stdout.replace(OF_ITSELF, "") : "";
}

function withoutSeawall(text: string): string {
  return text.replace(/^table inet seawall \{\n(?:[ \t].*\n|\n)*\}\n/m, "");
}

/** "" when both dumps are equal byte for byte, else the first lines that differ. */
export function firstDifference(earlier: string, later: string): string {
  if (earlier === later) return "";
  const [was, is] = [earlier.split("\n"), later.split("\n")];
  const at = was.findIndex((line, index) => line !== is[index]);
  const here = at < 0 ? was.length : at;
  return [
    `line ${here + 1}`,
    ...was.slice(here, here + 4).map((l) => `- ${l}`),
    ...is.slice(here, here + 4).map((l) => `+ ${l}`),
  ].join("\n");
}
