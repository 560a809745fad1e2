/** Packets to where nothing may arrive, again and again. Whether they arrive is seen at the other end. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { HammerWish } from "../ask.ts";
import type { Running } from "./agent.ts";

const HOLD_MS = 200;
/** LIMIT: sockets open at once. */
const AT_ONCE_MAX = 200;

/** Begins; `end` resolves to the number of attempts. */
export function hammer({ targets, everyMs }: HammerWish): Running {
  let attempts = 0;
  let open = 0;
  const strike = (): void => {
    for (const { address, port, over } of targets) {
      if (open >= AT_ONCE_MAX) return;
      attempts += 1;
      open += 1;
      const close = over === "tcp" ? openTcp(address, port) : sendUdp(address, port);
      setTimeout(() => {
        close();
        open -= 1;
      }, HOLD_MS);
    }
  };
  const timer = setInterval(strike, everyMs);
  return {
    look: () => attempts,
    end: () => {
      clearInterval(timer);
      return attempts;
    },
  };
}

function openTcp(host: string, port: number): () => void {
  const socket = connect({ host, port });
  socket.on("error", () => undefined);
  return () => socket.destroy();
}

function sendUdp(address: string, port: number): () => void {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => undefined);
  socket.send("x", port, address, () => undefined);
  return () => socket.close();
}
