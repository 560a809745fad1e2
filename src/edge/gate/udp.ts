/** UDP sockets that are only ever given addresses: Node would otherwise ask its resolver about each of them. */
import type { SocketOptions } from "node:dgram";

type Lookup = NonNullable<SocketOptions["lookup"]>;

/** Returns the address as it is. */
export const asGiven: Lookup = (address, _options, done) => {
  done(null, address, address.includes(":") ? 6 : 4);
};
