/** The names that are asked for, and what the upstream resolver (child/dns-upstream.ts) says about them. */
import { formatIp4 } from "../../../src/core/net/ip.ts";

/** The origin of the proxies. */
export const ORIGIN_NAME = "origin.seawall-bench.com";
export const ORIGIN_ADDRESS = "11.7.0.2";

/** Below it are as many names as are asked for. */
export const ZONE = "names.seawall-bench.com";

/** 11.128.0.0: as many addresses follow it as an index may say. */
const FIRST_ADDRESS = 0x0b80_0000;
export const INDEX_MAX = 0x7f_ffff;

/** Returns the name number `number`; its address is that of `index`. */
export function zoneName(number: number, index: number): string {
  return `n${number}.a${index}.${ZONE}`;
}

/** The address of every name with this index, as a number. */
export function zoneAddress(index: number): number {
  return FIRST_ADDRESS + index;
}

export function zoneAddressText(index: number): string {
  return formatIp4(zoneAddress(index));
}
