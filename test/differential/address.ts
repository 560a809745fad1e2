/** Which addresses a packet can have at all: others never get as far as a ruleset, whatever it says. */
import { type Ip, parseIp } from "../../src/core/net/ip.ts";
import { containsIp, prefixSetOf } from "../../src/core/net/prefix-set.ts";
import { parsePrefix } from "../../src/core/net/prefix.ts";
import { WORLD_INTERFACES } from "../support/wire/world.ts";

const OWN = WORLD_INTERFACES.flatMap(({ addresses }) => addresses);
/** Loopback sources from outside, multicast and unspecified ones are dropped before any rule is asked. */
const NO_SOURCE = setOf([
  "0.0.0.0/32",
  "127.0.0.0/8",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/8",
  "fe80::/10",
  "ff00::/8",
  ...OWN,
]);
/** Link-local needs an interface, multicast and broadcast answer nobody; `::/96` is an IPv4 address. */
const NO_DESTINATION = setOf([
  "0.0.0.0/8",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "127.77.0.0/16",
  "127.255.255.255/32",
  "fe80::/10",
  "ff00::/8",
  "fec0::/10",
]);
const LOOPBACK6 = parseIp("::1");

export function isSource(ip: Ip): boolean {
  return !containsIp(NO_SOURCE, ip);
}

export function isDestination(ip: Ip): boolean {
  if (ip.family === 6 && ip.value >> 120n === 0n && ip.value !== LOOPBACK6?.value) {
    return ip.value >> 96n === 0x64ff9bn << 64n;
  }
  return !containsIp(NO_DESTINATION, ip);
}

export function isLoopback(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >>> 24 === 127 : ip.value === LOOPBACK6?.value;
}

function setOf(texts: readonly string[]) {
  return prefixSetOf(
    texts.map((text) => {
      const parsed = parsePrefix(text);
      if (!parsed.ok) throw new Error(`not a prefix: ${text}`);
      return parsed.prefix;
    }),
  );
}
