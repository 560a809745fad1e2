/** Others on this host that resolve names for whoever asks them: a question there goes out in their name. */
import { existsSync } from "node:fs";
import { held, type Judged, notHeld, notPossible, notShown } from "../row.ts";
import type { Scene } from "../scene.ts";
import type { Entry } from "./entry.ts";

export const RESOLVER: readonly Entry[] = [
  socket(
    "resolved-dbus",
    "systemd-resolved over D-Bus",
    ["/run/dbus/system_bus_socket"],
    "/run/systemd/resolve",
  ),
  socket(
    "resolved-varlink",
    "systemd-resolved over varlink",
    ["/run/systemd/resolve/io.systemd.Resolve"],
    null,
  ),
  socket(
    "nscd",
    "the name cache of the C library (nscd)",
    ["/run/nscd/socket", "/var/run/nscd/socket"],
    null,
  ),
  socket("avahi", "multicast names (avahi)", ["/run/avahi-daemon/socket"], null),
];

/** `needs`: what has to be there for the socket to resolve names at all. */
function socket(id: string, title: string, paths: readonly string[], needs: string | null): Entry {
  return { id, title, run: (scene) => judgeSocket(scene, paths, needs) };
}

async function judgeSocket(scene: Scene, paths: readonly string[], needs: string | null): Promise<Judged> {
  const { hasHostFiles, seen } = scene.place;
  if (!hasHostFiles) return notPossible("a container has files of its own");
  const there = paths.find((path) => existsSync(`${seen}${path}`));
  if (there === undefined || (needs !== null && !existsSync(needs)))
    return notPossible("it does not run here");
  const answer = await scene.agent.ask({ do: "unix", paths: [`${seen}${there}`] });
  if (answer.outcome === "failed" || answer.outcome === "silent") return notShown(answer.code);
  if (answer.outcome !== "reached") return held(`${there}: ${answer.code}`);
  const cure = `InaccessiblePaths=${there} in the agent's unit`;
  const open = notHeld(`${there}: connected; what it asks there goes out unjudged`, cure);
  return scene.gatePledge.kind === "watched"
    ? { ...open, promised: false, would: "the same: no rule holds it" }
    : open;
}
