/** Loopback addresses that no other test file uses: files run side by side, each in a process of its own. */
import type { AddressInfo, Server } from "node:net";

let next = 0;

/** Returns an address of 127.64.0.0/10 that this process has not given out yet. */
export function freshAddress(): string {
  next += 1;
  // LIMIT: 1,022 addresses a process; the process id keeps two files apart.
  const block = process.pid % 4_096;
  return `127.${64 + (block >> 6)}.${((block & 63) << 2) | (next >> 8)}.${next & 255 || 255}`;
}

/** Binds a server to any port of an address and resolves to the port. */
export function listen(server: Server, address: string, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, () => resolve((server.address() as AddressInfo).port));
  });
}
