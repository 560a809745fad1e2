/** Tells when a container may have come, gone or got another address. */
import { findProgram, start } from "../host/command.ts";

export interface ContainerWatch {
  readonly stop: () => void;
}

export interface ContainerListener {
  /** Something changed, or may have while nobody listened. */
  readonly onChange: () => void;
  /** Nobody listens, and why; said once until dockerd was heard for a while. */
  readonly onTrouble: (why: string) => void;
}

/** How long the events of one change are gathered: a start is several. */
const GATHER_MS = 100;
/** LIMIT: pauses before dockerd is listened to again; each is twice the one before. */
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 15_000;
/** Who listened for so long was not sent away at once. */
const HEARD_MS = 10_000;
/** LIMIT: characters kept of why it ended. */
const WHY_CHARS_MAX = 300;
const EVENTS = ["start", "die", "connect", "disconnect"] as const;

/** Listens to dockerd's events (docker-events(1)) until it is stopped. Its first change is that it listens. */
export function watchContainers(listener: ContainerListener): ContainerWatch {
  const watch = new Watch(listener);
  watch.listen();
  return { stop: () => watch.stop() };
}

class Watch {
  readonly listener: ContainerListener;
  child: ReturnType<typeof start> | null = null;
  again: NodeJS.Timeout | undefined;
  heard: NodeJS.Timeout | undefined;
  gathered: NodeJS.Timeout | undefined;
  pauseMs = PAUSE_MIN_MS;
  isStopped = false;
  isTroubled = false;

  constructor(listener: ContainerListener) {
    this.listener = listener;
  }

  listen(): void {
    if (findProgram("docker") === undefined) return this.end("`docker` is not installed");
    const child = start("docker", eventWords(), ["ignore", "pipe", "pipe"]);
    this.child = child;
    let why = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      why = (why + text).slice(0, WHY_CHARS_MAX);
    });
    child.stdout?.on("data", () => this.change());
    child.once("error", ({ message }) => this.end(message, child));
    child.once("exit", (code) => this.end(why.trim() || `docker events ended with ${code}`, child));
    this.heard = setTimeout(() => {
      this.pauseMs = PAUSE_MIN_MS;
      this.isTroubled = false;
    }, HEARD_MS);
    this.change();
  }

  change(): void {
    this.gathered ??= setTimeout(() => {
      this.gathered = undefined;
      this.listener.onChange();
    }, GATHER_MS);
  }

  end(why: string, child: typeof this.child = null): void {
    if (this.isStopped || child !== this.child) return;
    this.child = null;
    clearTimeout(this.heard);
    if (!this.isTroubled) this.listener.onTrouble(why);
    this.isTroubled = true;
    this.again = setTimeout(() => this.listen(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, PAUSE_MAX_MS);
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of [this.again, this.heard, this.gathered]) clearTimeout(timer);
    this.child?.kill("SIGTERM");
  }
}

function eventWords(): string[] {
  const filters = EVENTS.flatMap((event) => ["--filter", `event=${event}`]);
  return ["events", "--filter", "type=container", "--filter", "type=network", ...filters, "--format", "."];
}
