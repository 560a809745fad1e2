/**
 * A player: a process in one namespace of the lab that opens and answers connections. Arguments: its first
 * source port and, for a player that is not root, its uid. It ends with its standard input.
 */
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { startPlayer } from "../player.ts";
import { attemptPing, attemptTcp, attemptUdp } from "./attempt.ts";
import {
  type Attempt,
  type AttemptRequest,
  type PlayerAnswer,
  type PlayerRequest,
  PORTS_OF_A_PLAYER,
  type Target,
} from "./request.ts";
import { fetchName, resolveName } from "./fetch.ts";
import { openServices } from "./listener.ts";
import { serveZone } from "./web.ts";

const [portText, uidText] = process.argv.slice(2);
const firstPort = Number(portText);
let nextPort = firstPort;
const kept = new Map<string, Socket>();
const services = openServices();
/** Names that reached the resolver of this player. */
const asked: string[] = [];

if (uidText !== undefined) becomeUser(Number(uidText));
process.stdout.write(`${JSON.stringify({ id: 0, value: "ready" })}\n`);
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { id, request } = JSON.parse(line) as { readonly id: number; readonly request: PlayerRequest };
  perform(request).then(
    (value) => answer({ id, value }),
    (error: unknown) => answer({ id, error: String(error) }),
  );
});
lines.on("close", () => process.exit(0));

function answer(message: PlayerAnswer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function becomeUser(uid: number): void {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}

async function perform(request: PlayerRequest): Promise<unknown> {
  switch (request.do) {
    case "tcp":
    case "udp":
    case "ping":
      return attempt(request);
    case "fetch":
      return fetchName(request);
    case "resolve":
      return resolveName(request);
    case "web":
      return serveZone(
        request.resolver.address,
        request.resolver.port,
        request.zone,
        (name) => void asked.push(name),
      );
    case "asked":
      return asked.filter((name) => name.endsWith(request.suffix)).length;
    case "child":
      return attemptInChild(request.attempt);
    case "say":
      return say(request.key, request.deadlineMs);
    case "listen":
      return services.listen(request.name, request.tcp, request.udp, request.address ?? "::");
    case "rename":
      process.title = request.name;
      return;
    case "stall":
      return services.stall(request.port);
    case "drain":
      return services.drain(request.port, request.quietMs);
    case "heard":
      return request.peerPorts.filter(services.heard).length;
    case "taken":
      return services.taken();
    case "leave":
      return leave(request, request.bytes);
    case "sysctl":
      for (const [name, value] of Object.entries(request.values)) writeFileSync(`/proc/sys/${name}`, value);
      return null;
  }
}

function attempt(request: AttemptRequest): Promise<Attempt> {
  if (request.do === "ping") return attemptPing(request);
  const port = nextPort;
  nextPort += 1;
  if (request.do === "udp") return attemptUdp(request, port);
  return attemptTcp(request, port, (key, socket) => kept.set(key, socket));
}

async function attemptInChild(request: AttemptRequest): Promise<unknown> {
  const child = await startPlayer({ firstPort: firstPort + PORTS_OF_A_PLAYER });
  try {
    return await child.ask(request);
  } finally {
    child.stop();
  }
}

function say(key: string, deadlineMs: number): Promise<"echoed" | "reset" | "timeout"> {
  const socket = kept.get(key);
  if (socket === undefined || socket.destroyed) return Promise.resolve("reset");
  return new Promise((resolve) => {
    const end = (result: "echoed" | "reset" | "timeout"): void => {
      clearTimeout(timer);
      socket.off("data", onWords);
      socket.off("close", onClose);
      resolve(result);
    };
    const onWords = (): void => end("echoed");
    const onClose = (): void => end("reset");
    const timer = setTimeout(() => end("timeout"), deadlineMs);
    socket.on("data", onWords);
    socket.once("close", onClose);
    socket.write("word");
  });
}

/** The kernel sends the rest when this process is gone: its packets then belong to nobody. */
function leave(target: Target, bytes: number): Promise<number> {
  const localPort = nextPort;
  const socket = connect({ host: target.to, port: target.port, localPort });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", () => {
      socket.write(Buffer.alloc(bytes), () => {
        resolve(localPort);
        setTimeout(() => process.exit(0), 50);
      });
    });
  });
}
