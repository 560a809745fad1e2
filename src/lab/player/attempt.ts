import { createSocket } from "node:dgram";
import { connect, isIPv6, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { findProgram, start } from "../../edge/host/command.ts";
import type { Attempt, Outcome, PingRequest, TcpRequest, UdpRequest } from "./request.ts";

const WORD = "ask";

/**
 * Opens a connection from a given source port and waits for the first words of the other side. With `keep`,
 * the socket is handed over and stays open.
 */
export function attemptTcp(
  request: TcpRequest,
  localPort: number,
  keep: (key: string, socket: Socket) => void,
): Promise<Attempt> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const socket = connect({
      host: request.to,
      port: request.port,
      localPort,
      ...(request.from === undefined ? {} : { localAddress: request.from }),
    });
    let connected = false;
    const end = (outcome: Outcome, said: string | null): void => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      if (outcome === "connected" && request.keep !== undefined) keep(request.keep, socket);
      else socket.destroy();
      resolve({ outcome, localPort, said, ms: performance.now() - begun });
    };
    const timer = setTimeout(() => end(connected ? "connected" : "timeout", null), request.deadlineMs);
    socket.setNoDelay(true);
    socket.once("connect", () => {
      connected = true;
    });
    socket.once("data", (words) => end("connected", words.toString("utf8").trim()));
    socket.on("error", (error: NodeJS.ErrnoException) => end(connected ? "reset" : outcomeOf(error), null));
  });
}

/** Sends one datagram from a given source port and waits for an answer, or for the kernel's refusal. */
export function attemptUdp(request: UdpRequest, localPort: number): Promise<Attempt> {
  const begun = performance.now();
  const socket = createSocket({ type: isIPv6(request.to) ? "udp6" : "udp4" });
  return new Promise((resolve) => {
    const end = (outcome: Outcome, said: string | null): void => {
      clearTimeout(timer);
      socket.close();
      resolve({ outcome, localPort, said, ms: performance.now() - begun });
    };
    const timer = setTimeout(() => end("timeout", null), request.deadlineMs);
    socket.once("message", (words) => end("answered", words.toString("utf8").trim()));
    socket.once("error", (error: NodeJS.ErrnoException) => end(outcomeOf(error), null));
    socket.bind(localPort, request.from, () => {
      socket.connect(request.port, request.to, () => socket.send(WORD));
    });
  });
}

/** Whether this machine has the programs to ask by ICMP as any user; Node cannot. */
export function canPing(): boolean {
  const program = findProgram("ping") ?? findProgram("busybox");
  return program !== undefined && findProgram("setpriv") !== undefined;
}

const PING_SAID_CHARS_MAX = 2_000;

/** Sends one ICMP echo request. Needs root. */
export function attemptPing(request: PingRequest): Promise<Attempt> {
  const begun = performance.now();
  const child = start("setpriv", pingWords(request), ["ignore", "pipe", "pipe"]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-PING_SAID_CHARS_MAX);
    });
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), request.deadlineMs + 1_000);
    child.once("close", (code) => {
      clearTimeout(timer);
      // Refused a socket is not refused by a rule; that says "sendto" or nothing.
      if (code !== 0 && /root\?|sock|setpriv/.test(said)) return reject(new Error(said.trim()));
      const outcome = code === 0 ? "answered" : "unanswered";
      resolve({ outcome, localPort: null, said: null, ms: performance.now() - begun });
    });
  });
}

/** Some builds of ping need a raw socket: the user gets that one capability and no other. */
function pingWords({ to, uid, deadlineMs }: PingRequest): string[] {
  const seconds = String(Math.ceil(deadlineMs / 1_000));
  const user =
    uid === undefined
      ? []
      : [
          "--reuid",
          `${uid}`,
          "--regid",
          `${uid}`,
          "--clear-groups",
          "--inh-caps",
          "+net_raw",
          "--ambient-caps",
          "+net_raw",
        ];
  const ping = findProgram("ping") === undefined ? ["busybox", "ping"] : ["ping"];
  return [...user, "--", ...ping, "-c", "1", "-W", seconds, to];
}

function outcomeOf(error: NodeJS.ErrnoException): Outcome {
  switch (error.code) {
    case "ECONNREFUSED":
      return "refused";
    case "ECONNRESET":
    case "EPIPE":
      return "reset";
    case "ETIMEDOUT":
      return "timeout";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EACCES":
    case "EPERM":
      return "unreachable";
    default:
      throw error;
  }
}
