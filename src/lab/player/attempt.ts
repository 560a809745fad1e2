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

/** Whether this machine has a program that can ask by ICMP; Node cannot. */
export function canPing(): boolean {
  return findProgram("ping") !== undefined || findProgram("busybox") !== undefined;
}

/** Sends one ICMP echo request. "refused" is an answer that it cannot be reached. */
export function attemptPing(request: PingRequest): Promise<Attempt> {
  const begun = performance.now();
  const program = findProgram("ping") === undefined ? "busybox" : "ping";
  const seconds = String(Math.ceil(request.deadlineMs / 1_000));
  const words = ["-n", "-c", "1", "-W", seconds, request.to];
  const own = program === "ping" ? ["-w", seconds, ...words] : ["ping", ...words];
  const child = start(program, own, ["ignore", "pipe", "pipe"]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2_000);
    });
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), request.deadlineMs + 1_000);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({
        outcome: pingOutcome(code, said),
        localPort: null,
        said: null,
        ms: performance.now() - begun,
      });
    });
  });
}

function pingOutcome(code: number | null, said: string): Outcome {
  if (code === 0) return "answered";
  return /unreachable|refused|not permitted|prohibited/i.test(said) ? "refused" : "timeout";
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
