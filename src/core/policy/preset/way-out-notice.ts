import type { Diagnostic } from "../../base/diagnostic.ts";
import { formatPattern } from "../../net/hostname.ts";
import type { PolicyDocument } from "../document.ts";
import { exfiltrationGrade } from "./way-out.ts";

/**
 * Returns a notice for each allowed name by which anybody can be sent data: `open` and `account` only, and only
 * names that the file itself writes. What a preset opens is in its reference; a notice on every file that has a
 * model and a channel would not be read.
 */
export function wayOutNotices({ outbound }: PolicyDocument): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const rule of outbound ?? []) {
    if (rule.action !== "allow") continue;
    for (const term of rule.to) {
      if (term.kind !== "name") continue;
      const out = exfiltrationGrade(term.pattern);
      if (out === null || out.grade === "key" || out.grade === "narrow") continue;
      found.push({
        code: "policy/way-out",
        severity: "notice",
        message: `\`${formatPattern(term.pattern)}\` is shared: ${out.why}`,
        help: "nothing is wrong if the agent needs it; a firewall by name cannot tell accounts apart",
        span: term.span,
      });
    }
  }
  return found;
}
