/** The sign of life of the gates: a datagram that the kernel notes and drops. See compile/nftables/gate-place.ts. */
import { createSocket } from "node:dgram";
import { KNOCK_PORT } from "../core/compile/nftables/gate.ts";

const SIGN = new Uint8Array(1);

/** Returns a function that knocks once, in both families. That it is dropped comes back as an error, and is right. */
export function createKnock(): () => void {
  const sockets = [
    { socket: createSocket("udp4"), address: "127.0.0.1" },
    { socket: createSocket("udp6"), address: "::1" },
  ];
  for (const { socket } of sockets) {
    socket.on("error", () => undefined);
    socket.unref();
  }
  return () => {
    for (const { socket, address } of sockets) socket.send(SIGN, KNOCK_PORT, address, () => undefined);
  };
}
