/** How much of what passes now would be refused. */
import type { WouldRefuse } from "../../../edge/store/would-refuse.ts";

/** Returns nothing where the log says nothing: that is no promise that nothing would be refused. */
export function watchedLines(found: WouldRefuse | null): string[] {
  if (found === null) return [];
  const parts = [plural(found.names, "name", "names"), plural(found.addresses, "address", "addresses")];
  const words = parts.filter((part) => part !== "").join(" and ");
  if (words === "") return [];
  const atLeast = found.isMore ? "at least " : "";
  return [`               ${atLeast}${words} would have been refused (24 h): seawall flows`];
}

function plural(count: number, one: string, many: string): string {
  return count === 0 ? "" : `${count} ${count === 1 ? one : many}`;
}
