/**
 * A policy is made of boxes (addresses by ports), so that what it does wrong somewhere it does wrong in a corner
 * of them: at the beginning of a box or just behind the end of another.
 */
import type { Ip } from "../net/ip.ts";
import type { PortRange } from "../net/port-range.ts";
import { containsIp, type PrefixSet } from "../net/prefix-set.ts";
import type { ServiceMatch } from "./resolved.ts";

/** Addresses from `low` to `high`. */
export interface Range {
  readonly family: 4 | 6;
  readonly low: bigint;
  readonly high: bigint;
}

/** Addresses by ports that a rule or guard decides. */
export interface Box {
  readonly services: readonly ServiceMatch[];
  readonly addresses: PrefixSet;
  /** A name to give the flow, for a rule that allows by name and reaches private addresses too. */
  readonly host: string | null;
}

/** Which corners are looked for. */
export interface Seek {
  readonly allows: readonly Box[];
  readonly blocks: readonly Box[];
  readonly ports: readonly PortRange[];
  readonly protocol: "tcp" | "udp";
}

export interface Corner {
  readonly address: Ip;
  readonly host: string | null;
  readonly port: number;
}

/** Returns where something may be accepted: the beginnings of what allows, and behind what denies inside of it. */
export function* neverCorners(seek: Seek, ranges: readonly Range[]): Generator<Corner> {
  const blocks = seek.blocks.filter((block) => portStarts(seek, block).length > 0);
  const behind = endsOf(blocks.map(({ addresses }) => addresses));
  for (const allow of seek.allows) {
    const starts = portStarts(seek, allow);
    if (starts.length === 0) continue;
    const after = blocks
      .flatMap((block) => portEnds(seek, block))
      .filter((port) => isServed(seek, allow, port));
    const ports = [...new Set([...starts, ...after])];
    for (const range of ranges) {
      const points = new Set([
        ...startsIn(allow.addresses, range),
        ...within(behind[range.family], range).filter((point) =>
          containsIp(allow.addresses, ipOf(range, point)),
        ),
      ]);
      for (const point of points) {
        for (const port of ports) yield { address: ipOf(range, point), host: allow.host, port };
      }
    }
  }
}

/** Returns where something may not be accepted: the beginnings of what denies, and behind what allows. */
export function* alwaysCorners(seek: Seek, ranges: readonly Range[]): Generator<Corner> {
  const relevant = (box: Box): boolean => box.host === null && portStarts(seek, box).length > 0;
  const allows = seek.allows.filter(relevant);
  const blocks = seek.blocks.filter(relevant);
  const behind = endsOf(allows.map(({ addresses }) => addresses));
  const ports = new Set([
    ...seek.ports.map(({ first }) => first),
    ...blocks.flatMap((block) => portStarts(seek, block)),
    ...allows.flatMap((allow) => portEnds(seek, allow)),
  ]);
  for (const range of ranges) {
    const starts = blocks.flatMap(({ addresses }) => startsIn(addresses, range));
    for (const point of new Set([range.low, ...starts, ...within(behind[range.family], range)])) {
      for (const port of ports) yield { address: ipOf(range, point), host: null, port };
    }
  }
}

/** Returns every port where a rule begins, and the one behind where it ends. */
export function everyPort(seek: Seek): ReadonlySet<number> {
  const boxes = [...seek.allows, ...seek.blocks];
  const edges = boxes.flatMap((box) => [...portStarts(seek, box), ...portEnds(seek, box)]);
  return new Set([...seek.ports.map(({ first }) => first), ...edges]);
}

function servicesOf({ protocol }: Seek, box: Box): readonly ServiceMatch[] {
  return box.services.filter(
    (one) => one.protocol === protocol || one.protocol === "both" || one.protocol === "every",
  );
}

function portStarts(seek: Seek, box: Box): number[] {
  return servicesOf(seek, box).flatMap(({ ports }) =>
    seek.ports
      .filter((range) => ports.first <= range.last && range.first <= ports.last)
      .map((range) => Math.max(ports.first, range.first)),
  );
}

function portEnds(seek: Seek, box: Box): number[] {
  return servicesOf(seek, box)
    .map(({ ports }) => ports.last + 1)
    .filter((port) => seek.ports.some((range) => port >= range.first && port <= range.last));
}

function isServed(seek: Seek, box: Box, port: number): boolean {
  return servicesOf(seek, box).some(({ ports }) => port >= ports.first && port <= ports.last);
}

/** The addresses of the range at which an interval of the set begins, or the range inside one. */
function startsIn(set: PrefixSet, { family, low, high }: Range): bigint[] {
  const { first, last } = family === 4 ? set.v4 : set.v6;
  const points: bigint[] = [];
  for (let at = indexOf(last, low); at < first.length; at += 1) {
    const start = BigInt(first[at] ?? 0);
    if (start > high) break;
    points.push(start > low ? start : low);
  }
  return points;
}

/** The addresses just behind every interval, sorted. */
function endsOf(sets: readonly PrefixSet[]): Record<4 | 6, bigint[]> {
  const sorted = (points: Iterable<bigint>): bigint[] =>
    [...new Set(points)].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return {
    4: sorted(sets.flatMap(({ v4 }) => Array.from(v4.last, (last) => BigInt(last) + 1n))),
    6: sorted(sets.flatMap(({ v6 }) => v6.last.map((last) => last + 1n))),
  };
}

function within(points: readonly bigint[], { low, high }: Range): bigint[] {
  return points.slice(indexOf(points, low), indexOf(points, high + 1n));
}

/** The index of the first entry that is `value` or more. */
function indexOf(sorted: ArrayLike<number | bigint>, value: bigint): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ipOf({ family }: Range, point: bigint): Ip {
  return family === 4 ? { family, value: Number(point) } : { family, value: point };
}
