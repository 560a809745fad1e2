/** Docker's own interface over its unix socket: no program in between, only questions. */
import { request } from "node:http";

const DEADLINE_MS = 5_000;
/** LIMIT: bytes of one answer. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Returns the answer to `GET path` as JSON, or why there is none. */
export function askDocker(
  socket: string,
  path: string,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string }> {
  return new Promise((resolve) => {
    const refuse = (why: string): void => resolve({ ok: false, why });
    const outgoing = request(
      { socketPath: socket, path, headers: { host: "docker" }, timeout: DEADLINE_MS },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER_BYTES_MAX) outgoing.destroy(new Error("its answer is too long"));
          else chunks.push(chunk);
        });
        response.once("end", () => {
          if (response.statusCode !== 200) return refuse(`it answers ${response.statusCode ?? "?"}`);
          try {
            resolve({ ok: true, value: JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown });
          } catch {
            refuse("its answer is no JSON");
          }
        });
        response.once("error", (cause) => refuse(cause.message));
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error("it does not answer")));
    outgoing.once("error", (cause: NodeJS.ErrnoException) =>
      refuse(cause.code === "EACCES" ? "only root and group docker may ask it" : cause.message),
    );
    outgoing.end();
  });
}
