/** One ICMP echo request from a place; Node itself has no sockets for it. */
import { performance } from "node:perf_hooks";
import { ask, findProgram } from "../edge/host/command.ts";
import { type Answer, TEXT_CHARS_MAX } from "./ask.ts";
import type { Identity } from "./person.ts";

const REPLY_SECONDS = "1";
/** LIMIT: for the program as a whole. */
const DEADLINE_MS = 4_000;

/** Returns what came back, or why nothing could be sent. Runs the system's ping as this user. */
export async function ping(
  enter: readonly string[],
  identity: Identity,
  address: string,
): Promise<Answer | string> {
  const program = ["ping", "busybox"].find((one) => findProgram(one) !== undefined);
  if (program === undefined) return "ping is not installed";
  const isSix = address.includes(":");
  const words = program === "ping" ? ["ping", isSix ? "-6" : "-4"] : ["busybox", isSix ? "ping6" : "ping"];
  const begun = performance.now();
  const ended = await run([...enter, ...asUser(identity), ...words, "-c", "1", "-W", REPLY_SECONDS, address]);
  return readPing({ ...ended, ms: Math.round(performance.now() - begun) });
}

/**
 * Some builds of ping need a raw socket: the user gets that one capability and no other. The agent has less, so what is
 * refused here is refused to it.
 */
function asUser({ uid, gid }: Identity): string[] {
  const user = ["--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
  return ["setpriv", ...user, "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw", "--"];
}

interface Ended {
  readonly status: number | null;
  readonly text: string;
}

async function run([program = "", ...args]: readonly string[]): Promise<Ended> {
  const { status, stdout, stderr } = await ask(program, args, { deadlineMs: DEADLINE_MS }).catch(
    () => SILENT,
  );
  return { status, text: `${stdout}${stderr}`.slice(-TEXT_CHARS_MAX) };
}

const SILENT = { status: null, stdout: "", stderr: "" };

/** Returns what ping said as an answer, or why nothing was sent. */
export function readPing({ status, text, ms }: Ended & { readonly ms: number }): Answer | string {
  const answer = { ms, text: "", dns: null };
  if (status === 0) return { ...answer, outcome: "reached", code: "echo reply" };
  if (/(sendto|sendmsg): Operation not permitted|prohibited|Port Unreachable/i.test(text))
    return { ...answer, outcome: "refused", code: "not permitted" };
  if (/Network is unreachable|Cannot assign|not supported/i.test(text))
    return "this machine has no way there";
  if (/ 0 (packets )?received/.test(text)) return { ...answer, outcome: "silent", code: "no reply" };
  return `ping could not be used: ${text.trim().split("\n").at(-1) ?? ""}`;
}
