import { matchesPattern } from "../net/hostname.ts";
import { PRESET_NAMES, presetPatterns } from "../policy/preset/preset.ts";
import { type Endpoint, endpointKey, type EndpointParse, parseEndpoint } from "./endpoint.ts";
import { substitute, type Variables } from "./environment.ts";
import { shownWord } from "./shown.ts";

/** Something the instance needs, and where it says so (`channels.telegram`). */
export interface Need<Value> {
  readonly value: Value;
  readonly because: readonly string[];
}

/** LIMIT: destinations of one kind from one configuration; more are said, not written. */
export const NEEDS_MAX = 200;
/** LIMIT: places shown for one need. */
const BECAUSE_MAX = 4;

interface Open<Value> {
  readonly value: Value;
  readonly because: string[];
}

/** What is being found. Filled by the readers of this folder, closed by `closeGathering`. */
export interface Gathering {
  readonly variables: Variables;
  readonly presets: Map<string, Open<string>>;
  readonly endpoints: Map<string, Open<Endpoint>>;
  readonly listeners: Map<string, Open<{ readonly channel: string; readonly port: number | null }>>;
  /** What is used and cannot be written down: a person has to look. */
  readonly open: Set<string>;
}

export function startGathering(variables: Variables): Gathering {
  return { variables, presets: new Map(), endpoints: new Map(), listeners: new Map(), open: new Set() };
}

/** Notes a preset by name; one that does not exist is said to be open. */
export function needPreset(found: Gathering, name: string, because: string): void {
  if (PRESET_NAMES.has(name)) note(found, found.presets, name, name, because);
  else found.open.add(`\`${shownWord(name)}\` (${because}) is not known: say what it reaches`);
}

export function needListener(found: Gathering, channel: string, port: number | null, because: string): void {
  note(found, found.listeners, `${channel} ${port}`, { channel, port }, because);
}

/** Notes where a URL of the configuration leads, its `${VAR}`s replaced. Returns the endpoint, or null. */
export function needUrl(found: Gathering, text: string, because: string): Endpoint | null {
  const url = substitute(text, found.variables);
  if (url === null) {
    found.open.add(`${because} holds a variable that is not known here`);
    return null;
  }
  return needEndpoint(found, parseEndpoint(url), because);
}

export function needEndpoint(found: Gathering, parsed: EndpointParse, because: string): Endpoint | null {
  if (!parsed.ok) {
    found.open.add(`${because} ${parsed.problem}`);
    return null;
  }
  note(found, found.endpoints, endpointKey(parsed.endpoint), parsed.endpoint, because);
  return parsed.endpoint;
}

function note<Value>(
  found: Gathering,
  into: Map<string, Open<Value>>,
  key: string,
  value: Value,
  because: string,
): void {
  const known = into.get(key);
  if (known !== undefined) {
    if (known.because.length < BECAUSE_MAX && !known.because.includes(because)) known.because.push(because);
    return;
  }
  if (into.size < NEEDS_MAX) into.set(key, { value, because: [because] });
  else found.open.add(`there are more than ${NEEDS_MAX} destinations of one kind; the rest was left out`);
}

/** Returns what was found, in a fixed order; a host on 443 that a needed preset already holds is left out. */
export function closeGathering(found: Gathering) {
  const patterns = [...found.presets.keys()].flatMap((name) => presetPatterns(name) ?? []);
  const isHeld = (endpoint: Endpoint): boolean =>
    endpoint.kind === "name" &&
    endpoint.port === 443 &&
    patterns.some((pattern) => matchesPattern(pattern, endpoint.name));
  return {
    presets: sorted(found.presets),
    endpoints: sorted(found.endpoints).filter(({ value }) => !isHeld(value)),
    listeners: sorted(found.listeners),
    open: [...found.open].sort(),
  };
}

function sorted<Value>(from: ReadonlyMap<string, Open<Value>>): Need<Value>[] {
  return [...from].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, need]) => need);
}
