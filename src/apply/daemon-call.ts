/** What a change says to seawalld, so that the gates follow it at once. Nothing but a gate needs a daemon. */
import { connect } from "node:net";
import { z } from "zod";

/** LIMIT: how long the daemon may take: a gate that is silent, and the fresh one after it. */
const ANSWER_WAIT_MS = 30_000;
const ANSWER = z.object({ ready: z.boolean(), trouble: z.array(z.string()) });

export type DaemonAnswer =
  /** `trouble`: what a gate cannot do, and could not before either. */
  | { readonly kind: "ready"; readonly trouble: readonly string[] }
  | { readonly kind: "not-ready"; readonly trouble: readonly string[] }
  | { readonly kind: "absent" };

/** Asks the daemon of this run folder to look at the kernel. `coming`: the entry of the history that is loaded. */
export function callDaemon(run: string, coming: number | null): Promise<DaemonAnswer> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ path: `${run}/control.sock` });
    const end = (answer: DaemonAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(
      () => end({ kind: "not-ready", trouble: ["seawalld does not answer"] }),
      ANSWER_WAIT_MS,
    );
    socket.setEncoding("utf8");
    socket.once("error", () => end({ kind: "absent" }));
    socket.once("connect", () => socket.write(`${JSON.stringify({ do: "sync", coming })}\n`));
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("close", () => end(parse(text)));
  });
}

function parse(text: string): DaemonAnswer {
  try {
    const { ready, trouble } = ANSWER.parse(JSON.parse(text));
    return { kind: ready ? "ready" : "not-ready", trouble };
  } catch {
    return { kind: "not-ready", trouble: ["seawalld did not understand"] };
  }
}
