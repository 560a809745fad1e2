import type { Span } from "../../base/diagnostic.ts";
import { formatPattern } from "../../net/hostname.ts";
import { formatPortRange } from "../../net/port-range.ts";
import { formatPrefix } from "../../net/prefix.ts";
import { SERVICE_NAMES, serviceNamed } from "../../net/service.ts";
import type { DestinationTerm, Service, SourceTerm } from "../document.ts";
import type { InboundDraft } from "./inbound.ts";
import type { OutboundDraft } from "./outbound.ts";
import { shown } from "./node.ts";
import { fileOf } from "./position.ts";
import { fail, type Walk } from "./walk.ts";

const ID_CHARS_MAX = 48;

/** A rule whose id is settled. */
type Named<Rule> = Omit<Rule, "id"> & { readonly id: string };

/**
 * Gives every rule its id: the file's own (unique, else an error), or one derived from the action and the
 * first term. Rules that derive the same id are numbered by their content, so that moving a rule in the
 * file renames nothing.
 */
export function nameRules(
  walk: Walk,
  inbound: readonly InboundDraft[],
  outbound: readonly OutboundDraft[],
): { readonly inbound: Named<InboundDraft>[]; readonly outbound: Named<OutboundDraft>[] } {
  const drafts = [...inbound, ...outbound];
  const taken = new Map<string, Span>();
  for (const { id } of drafts) {
    if (id === null) continue;
    const first = taken.get(id.text);
    if (first === undefined) taken.set(id.text, id.span);
    else {
      const files = `${shown(fileOf(first))} and ${shown(fileOf(id.span))}`;
      const where = first.file === id.span.file ? "given twice" : `given in ${files}`;
      fail(
        walk,
        "duplicate-id",
        id.span,
        `the id \`${id.text}\` is ${where}`,
        `the first is in line ${first.line}`,
      );
    }
  }
  const derived = deriveIds(
    drafts.filter((draft) => draft.id === null),
    new Set(taken.keys()),
  );
  const idOf = (draft: InboundDraft | OutboundDraft): string => draft.id?.text ?? derived.get(draft) ?? "";
  return {
    inbound: inbound.map((draft) => ({ ...draft, id: idOf(draft) })),
    outbound: outbound.map((draft) => ({ ...draft, id: idOf(draft) })),
  };
}

type Draft = InboundDraft | OutboundDraft;

function deriveIds(drafts: readonly Draft[], taken: Set<string>): ReadonlyMap<Draft, string> {
  const keyed = drafts.map((draft) => ({ draft, stem: stemOf(draft), content: contentOf(draft) }));
  // The main file comes first, so that a drop-in renames none of its rules.
  const isAdded = (draft: Draft): number => (draft.span.file === undefined ? 0 : 1);
  keyed.sort(
    (left, right) =>
      compare(left.stem, right.stem) ||
      isAdded(left.draft) - isAdded(right.draft) ||
      compare(left.content, right.content),
  );
  const ids = new Map<Draft, string>();
  const nextNumber = new Map<string, number>();
  for (const { draft, stem } of keyed) {
    let number = nextNumber.get(stem) ?? 1;
    let id = numbered(stem, number);
    while (taken.has(id)) {
      number += 1;
      id = numbered(stem, number);
    }
    nextNumber.set(stem, number + 1);
    taken.add(id);
    ids.set(draft, id);
  }
  return ids;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function numbered(stem: string, number: number): string {
  if (number === 1) return stem;
  const suffix = `-${number}`;
  return stem.slice(0, ID_CHARS_MAX - suffix.length) + suffix;
}

function stemOf(draft: Draft): string {
  const term = "services" in draft ? serviceSlug(draft.services[0]) : destinationSlug(draft.to[0]);
  const verb = term.startsWith("use ") ? "" : `${draft.action} `;
  const slug = `${verb}${term}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return slug.slice(0, ID_CHARS_MAX).replace(/-+$/, "");
}

function serviceSlug(service: Service | undefined): string {
  if (service === undefined) return "nothing";
  if (service.protocol === "every") return "any";
  const name = SERVICE_NAMES.find((candidate) => {
    const known = serviceNamed(candidate);
    return known?.protocol === service.protocol && sameRange(known.ports, service.ports);
  });
  if (name !== undefined) return name;
  const ports = formatPortRange(service.ports);
  return service.protocol === "udp" ? `udp ${ports}` : ports;
}

function sameRange(left: Service["ports"], right: Service["ports"]): boolean {
  return left.first === right.first && left.last === right.last;
}

function destinationSlug(term: DestinationTerm | undefined): string {
  switch (term?.kind) {
    case undefined:
      return "nothing";
    case "name":
      return term.pattern.kind === "below" ? `any ${term.pattern.suffix}` : term.pattern.name;
    case "prefix":
      return formatPrefix(term.prefix);
    case "set":
      return term.ref.name;
    case "country":
      return `country ${term.codes[0]}`;
    case "public-web":
      return "public-web";
    case "container":
      return `container ${term.ref.name}`;
    case "preset":
      return `use ${term.ref.name}`;
  }
}

/** The meaning of a rule as text, without its place in the file and without its `why`. */
function contentOf(draft: Draft): string {
  if ("services" in draft) {
    const sources = (terms: readonly SourceTerm[]): string[] => terms.map(sourceText).sort();
    return JSON.stringify([0, draft.services, sources(draft.from), sources(draft.except), draft.rate]);
  }
  const to = draft.to.map(destinationText).sort();
  const scopes = draft.scopes.map((scope) => scope.name).sort();
  return JSON.stringify([1, to, draft.ports, draft.protocol, scopes, draft.private]);
}

function sourceText(term: SourceTerm): string {
  switch (term.kind) {
    case "any":
      return "any";
    case "prefix":
      return formatPrefix(term.prefix);
    case "word":
      return term.ref.name;
    case "country":
      return `country ${term.codes.join(" ")}`;
  }
}

function destinationText(term: DestinationTerm): string {
  if (term.kind === "country") return `country ${term.codes.join(" ")}`;
  return term.kind === "name" ? formatPattern(term.pattern) : destinationSlug(term);
}
