/**
 * Random policies as the text that a person would write, with a note of every boundary they drew, so that
 * the packets can be aimed at both sides of each.
 */
import { formatIp, IP4_MAX, IP6_MAX, type Ip, parseIp } from "../../src/core/net/ip.ts";
import { parsePrefix } from "../../src/core/net/prefix.ts";
import { type SeededRandom, seededRandom } from "./seeded-random.ts";

export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/** What one rule is about, as far as boundaries go. */
export interface DrawnRule {
  readonly direction: "inbound" | "outbound";
  readonly prefixes: readonly string[];
  readonly ports: readonly PortSpan[];
}

export interface DrawnPolicy {
  /** `seed 7`, or the name of a policy written by hand. */
  readonly label: string;
  /** Chooses the packets. */
  readonly seed: number;
  readonly text: string;
  readonly rules: readonly DrawnRule[];
  /** Which zone each interface of the world is in; an interface that is missing is inside the host. */
  readonly zones: ReadonlyMap<string, string>;
  /** Scopes by name, with whose packets are theirs. */
  readonly scopes: ReadonlyMap<string, ScopeOwner>;
}

export type ScopeOwner =
  | { readonly kind: "user"; readonly uid: number }
  /** What enters by this interface: containers. */
  | { readonly kind: "interface"; readonly interface: string };

export const AGENT_UID = 4242;
const HELPER_UID = 4343;
/** A user that no scope names. */
export const OTHER_UID = 4999;

const PAST = ["2020-01-31", "2021-06-30T12:00:00Z"] as const;
const FUTURE = ["2098-01-31", "2097-06-30T12:00:00Z"] as const;
const WHY = "drawn by lot for a test";
const BIG_SET_PREFIXES = 500;
/** How many boundaries of a big set the packets are aimed at. */
const BIG_SET_SHOWN = 12;

/** Returns the policy of a seed. Every feature that the kernel can decide by address is in the urn. */
export function randomPolicy(seed: number): DrawnPolicy {
  const draw = new Draw(seededRandom(seed));
  return draw.policy(seed);
}

type Direction = "inbound" | "outbound";

/** One drawing: remembers what it drew, so that later prefixes and ports overlap earlier ones. */
class Draw {
  readonly random: SeededRandom;
  readonly seen: string[] = ["203.0.114.0/24", "2001:db8:40::/48"];
  readonly seenPorts: number[] = [22, 80, 443, 8080, 18_789, 2375];
  readonly sets = new Map<string, string[]>();
  readonly rules: DrawnRule[] = [];
  zoneNames: string[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
  }

  policy(seed: number): DrawnPolicy {
    const { random } = this;
    const zones = this.zones();
    this.drawSets();
    const scopes = this.scopes(zones);
    const lines = [
      "version: 1",
      this.mode(),
      `defaults: {inbound: ${this.denial()}, outbound: ${this.denial()}}`,
      `scopes: {${[...scopes].map(scopeText).join(", ")}}`,
      ...this.zoneLines(zones),
      ...this.setLines(),
      ...this.riskLines(),
      "inbound:",
      ...this.many(() => this.inboundRule()),
    ];
    const without = random.below(20);
    if (without === 1) lines.push("outbound: []");
    if (without > 1) lines.push("outbound:", ...this.many(() => this.outboundRule([...scopes.keys()])));
    return { label: `seed ${seed}`, seed, text: `${lines.join("\n")}\n`, rules: this.rules, zones, scopes };
  }

  many(make: () => string): string[] {
    const count = this.random.once(8) ? 20 + this.random.below(20) : 1 + this.random.below(12);
    return Array.from({ length: count }, make);
  }

  mode(): string {
    const one = (): string => (this.random.below(10) < 7 ? "enforce" : "observe");
    return `mode: {inbound: ${one()}, outbound: ${one()}}`;
  }

  scopes(zones: ReadonlyMap<string, string>): Map<string, ScopeOwner> {
    const scopes = new Map<string, ScopeOwner>([["agent", { kind: "user", uid: AGENT_UID }]]);
    if (this.random.once(4)) scopes.set("helper", { kind: "user", uid: HELPER_UID });
    if (this.random.once(4) && !zones.has("docker0")) {
      scopes.set("crate", { kind: "interface", interface: "docker0" });
    }
    return scopes;
  }

  denial(): string {
    return this.random.below(10) < 6 ? "refuse" : "drop";
  }

  zones(): Map<string, string> {
    const zones = new Map([["eth0", "world"]]);
    zones.set("lan0", this.random.below(10) < 6 ? "lan" : "world");
    if (this.random.once(6)) zones.set("docker0", "boxes");
    this.zoneNames = [...new Set(zones.values())];
    return zones;
  }

  zoneLines(zones: ReadonlyMap<string, string>): string[] {
    const entries = [...zones].filter(([, zone]) => zone !== "world");
    if (entries.length === 0) return [];
    return [
      `zones: {${entries.map(([name, zone]) => `${zone}: ${this.random.once(3) ? `"${name.slice(0, 3)}*"` : name}`).join(", ")}}`,
    ];
  }

  drawSets(): void {
    const count = this.random.below(4);
    for (let at = 0; at < count; at += 1) {
      const size = 1 + this.random.below(6);
      this.sets.set(`set${at}`, unique(Array.from({ length: size }, () => this.prefix())));
    }
    if (this.random.once(6)) this.sets.set("big", this.bigSet());
  }

  /** More than one look-up of small rules takes, so that the kernel asks a set of its own. */
  bigSet(): string[] {
    const base = this.random.below(2 ** 16);
    return Array.from({ length: BIG_SET_PREFIXES }, (_, at) =>
      at % 2 === 0
        ? `${20 + (base % 60)}.${(base + at) % 256}.${at % 200}.0/${24 + this.random.below(8)}`
        : `2a0${this.random.below(10)}:${(base + at).toString(16)}::/${32 + this.random.below(16)}`,
    ).map(networkOf);
  }

  setLines(): string[] {
    if (this.sets.size === 0) return [];
    return [
      "sets:",
      ...[...this.sets].map(([name, prefixes]) => `  ${name}: [${prefixes.map(quote).join(", ")}]`),
    ];
  }

  riskLines(): string[] {
    if (!this.random.once(5)) return [];
    const guards = this.random.sample(
      ["gateway", "cdp", "docker-api", "metadata", "link-local"],
      1 + this.random.below(2),
    );
    return [
      "accept_risk:",
      ...guards.map(
        (guard) =>
          `  - {guard: ${guard}, reason: ${WHY}, by: the test, expires: ${this.random.pick([...PAST, ...FUTURE])}}`,
      ),
    ];
  }

  inboundRule(): string {
    const allow = this.random.below(10) < 6;
    const services = Array.from({ length: 1 + this.random.below(3) }, () => this.service());
    const from = this.terms("inbound", allow ? 4 : 6);
    const except = this.random.once(5) ? this.terms("inbound", 0) : { words: [], prefixes: [] };
    this.rules.push({
      direction: "inbound",
      prefixes: [...from.prefixes, ...except.prefixes],
      ports: services.flatMap((service) => service.ports),
    });
    return this.rule([
      `${allow ? "allow" : "deny"}: [${unique(services.map((service) => service.word)).join(", ")}]`,
      `from: [${from.words.join(", ")}]`,
      ...(except.words.length > 0 ? [`except: [${except.words.join(", ")}]`] : []),
      ...(allow && this.random.once(12) ? ["rate: 1000000/second"] : []),
      ...this.common(allow),
    ]);
  }

  outboundRule(scopes: readonly string[]): string {
    const allow = this.random.below(10) < 6;
    const to = this.terms("outbound", 0);
    const noPort = this.random.once(4);
    const ports = noPort ? [] : Array.from({ length: 1 + this.random.below(3) }, () => this.portSpan());
    const protocol = noPort && allow ? "" : this.random.pick(["", "", "tcp", "udp"]);
    this.rules.push({
      direction: "outbound",
      prefixes: to.prefixes,
      ports: noPort ? [{ first: 443, last: 443 }] : ports,
    });
    const names = allow && this.random.once(8) ? ["api.example.com"] : [];
    return this.rule([
      `${allow ? "allow" : "deny"}: [${[...to.words, ...names].join(", ")}]`,
      ...(ports.length > 0 ? [`port: [${unique(ports.map(spanText)).join(", ")}]`] : []),
      ...(protocol === "" ? [] : [`protocol: ${protocol}`]),
      ...(scopes.length > 1 && this.random.once(2)
        ? [`scope: [${this.random.sample(scopes, 2).join(", ")}]`]
        : []),
      ...this.common(allow),
    ]);
  }

  rule(fields: readonly string[]): string {
    return `  - {${[...fields, `why: ${WHY}`].join(", ")}}`;
  }

  common(allow: boolean): string[] {
    const { random } = this;
    const fields: string[] = [];
    if (random.once(6)) fields.push(`expires: ${random.pick(random.once(2) ? PAST : FUTURE)}`);
    if (random.once(8)) fields.push(`mode: ${random.pick(["observe", "enforce"])}`);
    if (!allow && random.once(2)) fields.push(`denial: ${random.pick(["refuse", "drop"])}`);
    return fields;
  }

  /** One in `anyOften` rules is about everybody (0: none). */
  terms(direction: Direction, anyOften: number): { words: string[]; prefixes: string[] } {
    const { random } = this;
    if (anyOften > 0 && random.once(anyOften)) return { words: ["any"], prefixes: [] };
    const words: string[] = [];
    const prefixes: string[] = [];
    const count = 1 + random.below(3);
    for (let at = 0; at < count; at += 1) {
      const kind = random.below(10);
      const [set, entries] = kind < 3 && this.sets.size > 0 ? random.pick([...this.sets]) : ["", []];
      if (set !== "") {
        words.push(set);
        prefixes.push(...random.sample(entries, BIG_SET_SHOWN));
      } else if (kind === 3 && direction === "inbound") {
        words.push(random.pick(this.zoneNames));
      } else {
        const prefix = this.prefix();
        words.push(quote(prefix));
        prefixes.push(prefix);
      }
    }
    return { words: unique(words), prefixes };
  }

  service(): { word: string; ports: PortSpan[] } {
    const { random } = this;
    const kind = random.below(12);
    if (kind === 0) return { word: "any", ports: [] };
    if (kind === 1) return { word: "ssh", ports: [{ first: 22, last: 22 }] };
    if (kind === 2) return { word: "dns", ports: [{ first: 53, last: 53 }] };
    if (kind === 3) return { word: "http3", ports: [{ first: 443, last: 443 }] };
    const span = this.portSpan();
    const protocol = random.pick(["", "", "tcp/", "udp/"]);
    return { word: `${protocol}${spanText(span)}`, ports: [span] };
  }

  portSpan(): PortSpan {
    const { random } = this;
    const near = random.pick(this.seenPorts) + random.below(5) - 2;
    const port = clampPort(random.once(2) ? near : 1 + random.below(65_535));
    const first = random.once(30) ? 1 : port;
    const width = random.pick([0, 0, 0, 1, 2, 10, 300, 5000, 65_535]);
    const last = Math.min(65_535, first + width);
    this.seenPorts.push(first, last);
    return { first, last };
  }

  prefix(): string {
    const prefix = this.random.once(2) ? this.relative(this.random.pick(this.seen)) : this.fresh();
    this.seen.push(prefix);
    return prefix;
  }

  /** A prefix that touches an earlier one: wider, narrower, beside it, or one end of it. */
  relative(of: string): string {
    const { random } = this;
    const [address = "", length = ""] = of.split("/");
    const isV6 = address.includes(":");
    const width = isV6 ? 128 : 32;
    const bits = Number(length === "" ? width : length);
    const change = random.pick([-8, -4, -1, 0, 1, 1, 4, 8]);
    const next = Math.min(width, Math.max(isV6 ? 8 : 6, bits + change));
    const value = bigOf(address) + (BigInt(random.below(3)) - 1n) * (1n << BigInt(width - next));
    const max = isV6 ? IP6_MAX : BigInt(IP4_MAX);
    return networkOf(`${addressOf(value < 0n || value > max ? bigOf(address) : value, isV6)}/${next}`);
  }

  fresh(): string {
    const { random } = this;
    if (random.once(40)) return random.pick(["0.0.0.0/0", "::/0", "0.0.0.0/1", "8000::/1"]);
    if (random.once(25))
      return random.pick([
        "169.254.169.254",
        "169.254.0.0/16",
        "127.0.0.1",
        "127.0.0.0/8",
        "fe80::/10",
        "172.17.0.2",
      ]);
    if (random.below(10) < 6) {
      const first = random.pick([10, 100, 172, 192, 1 + random.below(222), 240]);
      const bits = random.pick([8, 12, 16, 20, 23, 24, 24, 24, 25, 28, 30, 31, 32, 32]);
      return networkOf(`${first}.${random.below(256)}.${random.below(256)}.${random.below(256)}/${bits}`);
    }
    const head = random.pick(["2001:db8", "2a00:1450", "2606:4700", "fd12:3456", "2400:cb00"]);
    const bits = random.pick([16, 32, 40, 48, 56, 64, 64, 65, 96, 127, 128, 128]);
    const group = (): string => random.below(65_536).toString(16);
    return networkOf(`${head}:${group()}:${group()}:${group()}:${group()}:${group()}:${group()}/${bits}`);
  }
}

function bigOf(address: string): bigint {
  const ip = parseIp(address);
  if (ip === undefined) throw new Error(`not an address: ${address}`);
  return BigInt(ip.value);
}

function addressOf(value: bigint, isV6: boolean): string {
  const ip: Ip = isV6 ? { family: 6, value } : { family: 4, value: Number(value) };
  return formatIp(ip);
}

/** Host bits cleared; a whole address is written without a length, as people do. */
function networkOf(text: string): string {
  const parsed = parsePrefix(text);
  if (!parsed.ok) throw new Error(`not a prefix: ${text}`);
  const { base, bits } = parsed.prefix;
  return bits === (base.family === 4 ? 32 : 128) ? formatIp(base) : `${formatIp(base)}/${bits}`;
}

function quote(prefix: string): string {
  return `"${prefix}"`;
}

function scopeText([name, owner]: readonly [string, ScopeOwner]): string {
  return `${name}: {${owner.kind === "user" ? `user: ${owner.uid}` : "docker: bridge"}}`;
}

function spanText({ first, last }: PortSpan): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function clampPort(port: number): number {
  return Math.min(65_535, Math.max(1, port));
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
