/** Policies and prefixes of the benchmarks, always the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatIp4, formatIp6 } from "../../src/core/net/ip.ts";

export interface WantedPolicy {
  readonly rules: number;
  /** A file of prefixes beside the policy that may reach nothing. */
  readonly denied?: string;
}

/** Returns a policy of exactly `rules` inbound rules: two that allow, the others deny one network and port each. */
export function policyText({ rules, denied }: WantedPolicy): string {
  const head = [
    "  - {allow: ssh, from: any, why: administration with keys only}",
    "  - {allow: http, from: any, why: the web server of this benchmark}",
    ...(denied === undefined ? [] : ["  - {deny: any, from: big, why: a list of bad networks}"]),
  ];
  const more = Array.from({ length: rules - head.length }, (_, at) => {
    const { network, port } = deniedSource(at);
    return `  - {deny: tcp/${port}, from: ${network}, why: abuse report number ${at}}`;
  });
  return [
    "version: 1",
    "mode: {inbound: enforce, outbound: observe}",
    ...(denied === undefined ? [] : [`sets: {big: {file: ${denied}}}`]),
    "inbound:",
    ...head,
    ...more,
    "",
  ].join("\n");
}

/** The source and port of the rule number `at`; the same for Seawall and for its peers. */
export function deniedSource(at: number): { readonly network: string; readonly port: number } {
  return { network: `100.${64 + (at >> 8)}.${at & 255}.0/24`, port: 1_000 + (at % 500) };
}

/** Writes a policy into the folder and returns its path. */
export function writePolicy(folder: string, name: string, wanted: WantedPolicy): string {
  const path = join(folder, name);
  writeFileSync(path, policyText(wanted));
  return path;
}

/** Returns `count` disjoint IPv4 prefixes of length 24 to 26, none beside another, so that no program can join them. */
export function spreadPrefixes(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${formatIp4(0x1400_0000 + at * 1_024)}/${24 + (at % 3)}`);
}

/** Returns `count` prefixes of length 32 to 48 under 2000::/3, spread by a fixed multiplier. */
export function spreadPrefixes6(count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const network = 0x2000_0000n + ((BigInt(at) * 40_503n) & 0x0fff_ffffn);
    return `${formatIp6(network << 96n)}/${32 + (at % 17)}`;
  });
}

/** A small generator (Numerical Recipes), so that every run asks the same. */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}
