/** Frames over a stream socket: four bytes of length, then the content. */
import type { Socket } from "node:net";

const HEADER_BYTES = 4;

/** Calls `take` for each whole frame. A frame that is empty or longer than allowed ends the connection. */
export function readFrames(socket: Socket, bytesMax: number, take: (frame: Buffer) => void): void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wanted = HEADER_BYTES;
  let isHeader = true;
  socket.on("data", (chunk: Buffer) => {
    held.push(chunk);
    heldBytes += chunk.length;
    while (heldBytes >= wanted && !socket.destroyed) {
      const whole = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
      const part = whole.subarray(0, wanted);
      const rest = whole.subarray(wanted);
      held = rest.length > 0 ? [rest] : [];
      heldBytes = rest.length;
      if (isHeader) {
        wanted = part.readUInt32LE();
        // One without content says nothing and would be heard for free.
        if (wanted === 0 || wanted > bytesMax) return void socket.destroy();
        isHeader = false;
      } else {
        isHeader = true;
        wanted = HEADER_BYTES;
        take(part);
      }
    }
  });
}

/** Sends one frame. */
export function writeFrame(socket: Socket, content: Uint8Array): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(content.length);
  socket.cork();
  socket.write(header);
  socket.write(content);
  socket.uncork();
}
