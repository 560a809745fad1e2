/**
 * Who changes the kernel's rules: every transaction of nf_tables in this network namespace, ours and those of others.
 * LIMIT: iptables-legacy and ipset are not nf_tables and are not seen.
 */
import type { SeawallError } from "../../core/base/error.ts";
import { TABLE } from "../../core/compile/nftables/table.ts";
import {
  createRulesDecoder,
  type RulesTransaction,
  type Touched,
} from "../../core/event/decode/rules-change.ts";
import { isRecentChild } from "../host/command.ts";
import { type ChangeOrigin, inFirstPidNamespace, originOf } from "./change-origin.ts";
import { isOwnPort } from "./netlink/own-port.ts";
import { closeNetlink, NETLINK_NETFILTER, openNetlink, readNetlink } from "./netlink/socket.ts";

/** One transaction, as the kernel tells it when it is in force. */
export interface RulesChange {
  /** The kernel's number of the ruleset that it made; each transaction adds one. */
  readonly generation: number;
  /** The process that sent it, as numbered here where that is known, else by the kernel. */
  readonly pid: number;
  /** The name of that process, at most 15 characters: `nft`, `iptables-restor`. Plain text. */
  readonly program: string;
  /** Sent by this process, or by a program that it started. Another `seawall` is not. */
  readonly own: boolean;
  /** Null when the process had ended before it could be looked at, and in a storm of changes. */
  readonly origin: ChangeOrigin | null;
  /** What it did to which table, in the order in which it was told; at most TOUCHED_MAX lines. */
  readonly touched: readonly Touched[];
  /** Things beyond TOUCHED_MAX lines, of which only the number is known. */
  readonly untold: number;
}

export interface RulesWatcher {
  readonly onChange: (change: RulesChange) => void;
  /** The kernel dropped messages: changes may have gone by unseen. Watching goes on. */
  readonly onLost: () => void;
  /** Reading failed for good; nothing is seen any more. */
  readonly onFailure: (error: SeawallError) => void;
  /** Kernel memory for messages not read yet; RULES_BUFFER_BYTES unless a test says otherwise. */
  readonly receiveBufferBytes?: number;
}

/** LIMIT: kernel memory for messages not read yet, about 100,000 elements of one transaction. */
export const RULES_BUFFER_BYTES = 8 * 1024 * 1024;
/** LIMIT: processes looked at in /proc each second, about 0.3 ms each. */
export const ORIGINS_PER_SECOND_MAX = 50;
/** LIMIT: datagrams (of at most 4 KiB) read without a pause, about 5 ms. */
const AT_ONCE_MAX = 512;
/** `stop` takes up to this time. */
const RECEIVE_TIMEOUT_MS = 200;
const NFNLGRP_NFTABLES = 7;

/**
 * Watches the rules of this network namespace until `stop`, which resolves when the socket is closed. Our own
 * transactions that only set elements of `table inet seawall` (pins, leases, large sets) are not told. Refuses
 * with SEAWALL_NETLINK, for example without CAP_NET_ADMIN.
 */
export function watchRules(watcher: RulesWatcher): { stop(): Promise<void> } {
  const socket = openNetlink(NETLINK_NETFILTER, {
    receiveBufferBytes: watcher.receiveBufferBytes ?? RULES_BUFFER_BYTES,
    receiveTimeoutMs: RECEIVE_TIMEOUT_MS,
    multicastGroup: NFNLGRP_NFTABLES,
  });
  const decode = createRulesDecoder();
  const changeOf = createJudge(inFirstPidNamespace());
  const onTransaction = (transaction: RulesTransaction): void => {
    const change = changeOf(transaction);
    if (!change.own || !change.touched.every(isOwnElement) || change.untold > 0) watcher.onChange(change);
  };
  const reader = {
    onDatagram: (bytes: Uint8Array, length: number) => decode(bytes, length, onTransaction),
    onOverrun: watcher.onLost,
    onFailure: watcher.onFailure,
  };
  const reading = readNetlink(socket, reader, AT_ONCE_MAX);
  return {
    stop: async () => {
      await reading.stop();
      closeNetlink(socket);
    },
  };
}

/**
 * In another pid namespace than the first one the kernel's numbers mean nothing in /proc, but programs send from the
 * netlink port that is their own process id.
 */
function createJudge(numbersAreOurs: boolean): (transaction: RulesTransaction) => RulesChange {
  const mayLook = createAllowance(ORIGINS_PER_SECOND_MAX);
  return ({ generation, pid, port, program, touched, untold }) => {
    const here = numbersAreOurs ? pid : port;
    const own = isOwnPort(port) || isRecentChild(here);
    const origin = !own && mayLook() ? originOf(here, program) : null;
    const shownPid = numbersAreOurs || own || origin !== null ? here : pid;
    return { generation, pid: shownPid, program, own, origin, touched, untold };
  };
}

/** Returns a question that is answered with yes `most` times a second. */
function createAllowance(most: number): () => boolean {
  let second = 0;
  let used = 0;
  return () => {
    const now = Math.trunc(performance.now() / 1000);
    if (now !== second) [second, used] = [now, 0];
    used += 1;
    return used <= most;
  };
}

function isOwnElement({ family, table, what }: Touched): boolean {
  return what === "element" && family === "inet" && table === TABLE;
}
