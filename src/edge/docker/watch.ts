/** Tells when a container may have come, gone or got another address. */
import { start } from "../host/command.ts";

export interface ContainerWatch {
  readonly stop: () => void;
}

/** How long the events of one change are gathered: a start is several. */
const GATHER_MS = 100;
/** How soon dockerd is listened to again after it went. */
const AGAIN_MS = 1_000;
const EVENTS = ["start", "die", "connect", "disconnect"] as const;

/** Listens to dockerd's events (docker-events(1)) until it is stopped; calls `onChange` once it listens anew, too. */
export function watchContainers(onChange: () => void): ContainerWatch {
  let child: ReturnType<typeof start> | null = null;
  let again: NodeJS.Timeout | undefined;
  let gathered: NodeJS.Timeout | undefined;
  let isStopped = false;
  const change = (): void => {
    gathered ??= setTimeout(() => {
      gathered = undefined;
      onChange();
    }, GATHER_MS);
  };
  const listenLater = (): void => {
    child = null;
    clearTimeout(again);
    if (!isStopped) again = setTimeout(listen, AGAIN_MS);
  };
  const listen = (): void => {
    try {
      const made = start("docker", eventWords(), ["ignore", "pipe", "ignore"]);
      child = made;
      made.stdout?.on("data", change);
      made.once("error", listenLater);
      made.once("exit", listenLater);
      change();
    } catch {
      listenLater();
    }
  };
  listen();
  return {
    stop: () => {
      isStopped = true;
      clearTimeout(again);
      clearTimeout(gathered);
      child?.kill("SIGTERM");
    },
  };
}

function eventWords(): string[] {
  const filters = EVENTS.flatMap((event) => ["--filter", `event=${event}`]);
  return ["events", "--filter", "type=container", "--filter", "type=network", ...filters, "--format", "."];
}
