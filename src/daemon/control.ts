/** The control socket of seawalld: one JSON line in, one JSON line out. Only root may speak here. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { z } from "zod";
import { peerUid } from "../edge/kernel/socket-option.ts";
import type { GateKeeper } from "./gate/keeper.ts";

/** LIMIT: bytes of one request. */
const REQUEST_BYTES_MAX = 4_096;
const REQUEST = z.strictObject({ do: z.literal("sync"), coming: z.int().min(1).nullable() });

export interface Control {
  readonly close: () => void;
}

/** Listens. Resolves when it does; refuses with the errno. */
export function openControl(path: string, keeper: GateKeeper): Promise<Control> {
  const server = createServer((socket) => {
    if (peerUid(socket) !== 0) return void socket.destroy();
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => undefined);
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > REQUEST_BYTES_MAX) return void socket.destroy();
      if (text.includes("\n")) answer(socket, text, keeper).catch(() => socket.destroy());
    });
  });
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      // Who could not be answered asks again.
      server.on("error", () => undefined);
      chmodSync(path, 0o600);
      resolve({ close: () => server.close() });
    });
  });
}

async function answer(socket: Socket, text: string, keeper: GateKeeper): Promise<void> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return void socket.destroy();
  }
  const request = REQUEST.safeParse(value);
  if (!request.success) return void socket.destroy();
  const done = await keeper.sync(request.data.coming);
  socket.end(`${JSON.stringify(done)}\n`);
}
