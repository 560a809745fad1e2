/** Everything there is to say about a policy before it is used: text, references, guards, tests, assertions. */
import { comparePlaces, type Diagnostic, FILE_START, hasError } from "../base/diagnostic.ts";
import type { PrefixSet } from "../net/prefix-set.ts";
import type { DropIn, PolicyDocument } from "./document.ts";
import { guardOverlaps } from "./guard-overlap.ts";
import { KEEP_SSH, parsePolicy } from "./parse/parse.ts";
import { PRESET_NAMES } from "./preset/preset.ts";
import { wayOutNotices } from "./preset/way-out-notice.ts";
import { resolvePolicy } from "./resolve.ts";
import type { ResolvedPolicy } from "./resolved.ts";
import { selfTest } from "./self-test.ts";

export interface CheckInputs {
  readonly nowMs: number;
  /** The files of policy.d in their order. */
  readonly dropIns?: readonly DropIn[];
  /** Reads the sets that the document keeps in files; a problem is a diagnostic. */
  readonly readSets: (document: PolicyDocument) => {
    readonly sets: ReadonlyMap<string, PrefixSet>;
    readonly diagnostics: readonly Diagnostic[];
  };
}

export interface PolicyCheck {
  /** Null when anything is an error. */
  readonly policy: ResolvedPolicy | null;
  readonly document: PolicyDocument | null;
  /** In the order of the files. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Returns the meaning of a policy text with its drop-ins and everything found in it, all at once. */
export function checkPolicy(text: string, inputs: CheckInputs): PolicyCheck {
  const { nowMs, dropIns = [] } = inputs;
  const parsed = parsePolicy(text, { nowMs, dropIns, presets: PRESET_NAMES });
  const diagnostics = [...parsed.diagnostics];
  if (parsed.document === null) return { policy: null, document: null, diagnostics: inOrder(diagnostics) };
  const files = inputs.readSets(parsed.document);
  const resolved = resolvePolicy(parsed.document, { fileSets: files.sets });
  diagnostics.push(...files.diagnostics, ...resolved.diagnostics);
  if (!hasError(diagnostics)) {
    diagnostics.push(...wayOutNotices(parsed.document));
    diagnostics.push(...noRule(parsed.document, parsed.diagnostics));
    diagnostics.push(...guardOverlaps(parsed.document, resolved.policy, nowMs));
    diagnostics.push(...selfTest(parsed.document, resolved.policy, nowMs));
  }
  const usable = !hasError(diagnostics);
  return {
    policy: usable ? resolved.policy : null,
    document: parsed.document,
    diagnostics: inOrder(diagnostics),
  };
}

/** A policy without any rule shuts SSH out; an empty file says so already. */
function noRule(
  { inbound, outbound, mode }: PolicyDocument,
  said: readonly Diagnostic[],
): readonly Diagnostic[] {
  if (mode.inbound !== "enforce" || inbound.length > 0 || outbound !== null) return [];
  if (said.some(({ code }) => code === "policy/empty")) return [];
  return [
    {
      code: "policy/nobody-in",
      severity: "warning",
      message: "no rule lets anybody in: everything inbound is refused, SSH too",
      help: KEEP_SSH,
      span: FILE_START,
    },
  ];
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort((left, right) => comparePlaces(left.span, right.span));
}
