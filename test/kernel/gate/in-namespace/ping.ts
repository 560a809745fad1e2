/** ICMP echo by an unprivileged ping socket (icmp(7)). */
import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AF_INET, AF_INET6, readFd, SOCK_NONBLOCK, sendTo, socketAs } from "../../../support/wire/libc.ts";
import { encodeIp6 } from "./dns-message.ts";

const SOCK_DGRAM = 2;
const IPPROTO = { 4: 1, 6: 58 } as const;
const ECHO = { 4: 8, 6: 128 } as const;
const WAIT_MS = 300;

/** Resolves to what became of one echo request: an answer, nothing, or the kernel's refusal to send it. */
export async function ping(address: string): Promise<"answer" | "nothing" | "not sent"> {
  const family = isIPv4(address) ? 4 : 6;
  const domain = family === 4 ? AF_INET : AF_INET6;
  const socket = socketAs(process.getuid?.() ?? 0, domain, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO[family]);
  const request = Uint8Array.of(ECHO[family], 0, 0, 0, 0, 1, 0, 1, 120, 120, 120, 120);
  const to = family === 4 ? socketAddress4(address) : socketAddress6(address);
  if (sendTo(socket, request, request.length, 0, to, to.length) < 0) return "not sent";
  await sleep(WAIT_MS);
  return readFd(socket, Buffer.alloc(256), 256) > 0 ? "answer" : "nothing";
}

/** struct sockaddr_in. */
function socketAddress4(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  Buffer.from(address.split(".").map(Number)).copy(bytes, 4);
  return bytes;
}

/** struct sockaddr_in6. */
function socketAddress6(address: string): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  encodeIp6(address).copy(bytes, 8);
  return bytes;
}
