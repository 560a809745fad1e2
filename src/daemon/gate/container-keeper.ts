/**
 * What the daemon asks dockerd: where the containers are that rules name, whether scopes of containers still hold, at
 * which bridges the gates listen. INVARIANT: nothing here waits for dockerd but what asks it; it may hang.
 */
import { containerAddresses, findDockerBridge } from "../../edge/docker/network.ts";
import { type ContainerWatch, watchContainers } from "../../edge/docker/watch.ts";
import { createScopeWatch, type ScopeWatch, type WatchedPolicy } from "../container-watch.ts";
import type { Say } from "../say.ts";
import { createTurns, type Turns } from "../turns.ts";
import type { PinKeeper } from "./pin-keeper.ts";

export interface ContainerKeeperOptions {
  readonly pins: PinKeeper;
  readonly state: string;
  readonly nowMs: () => number;
  readonly say: Say;
}

export class ContainerKeeper {
  readonly options: ContainerKeeperOptions;
  readonly turns: Turns = createTurns();
  /** Gates wait for bridges, so nothing else is asked before. */
  readonly bridgeTurns: Turns = createTurns();
  readonly scopes: ScopeWatch;
  watch: ContainerWatch | null = null;
  hasScopes = false;
  said = "";
  /** By network: the bridge, as it was when dockerd said so last. */
  readonly bridges = new Map<string, string>();

  constructor(options: ContainerKeeperOptions) {
    this.options = options;
    this.scopes = createScopeWatch(options);
  }

  /** From now on these policies are in force. Resolves once their containers are pinned, as far as dockerd says. */
  async follow(policies: readonly WatchedPolicy[]): Promise<void> {
    this.hasScopes = this.scopes.follow(policies);
    if (!this.hasScopes && this.options.pins.containers().size === 0) return this.stop();
    this.watch ??= watchContainers({
      onChange: () => void this.look(),
      onTrouble: (why) =>
        this.options.say(
          `containers that come or go are noticed late: ${why}; dockerd is listened to again when it answers`,
        ),
    });
    await this.look();
  }

  async look(): Promise<void> {
    if (this.hasScopes) void this.attempt("scopes", () => this.scopes.look());
    await this.pin();
  }

  /** Pins the containers that rules name where they are now. */
  async pin(): Promise<void> {
    const { pins } = this.options;
    if (pins.containers().size === 0) return;
    await this.attempt("pins", async () => {
      const where = await containerAddresses(pins.containers());
      pins.pinContainers(where, this.options.nowMs());
    });
  }

  /**
   * Looks for the bridges of these networks. Returns why one is not known; while dockerd is silent a bridge is what it
   * was.
   */
  async findBridges(networks: ReadonlySet<string>): Promise<readonly string[]> {
    const trouble = new Map<string, string>();
    const look = async (): Promise<void> => {
      for (const network of networks) {
        const found = await findDockerBridge(network);
        if (found.kind === "bridge") this.bridges.set(network, found.name);
        else if (found.kind === "none") this.bridges.delete(network);
        if (found.kind !== "bridge") trouble.set(network, found.why);
      }
    };
    if (networks.size > 0) await this.bridgeTurns.take(`bridges ${[...networks].join(" ")}`, look);
    return [...networks].flatMap((network) =>
      this.bridges.has(network) ? [] : [trouble.get(network) ?? `docker network \`${network}\` is not known`],
    );
  }

  stop(): void {
    this.watch?.stop();
    this.watch = null;
  }

  /** Never throws: what is wrong is said. */
  async attempt(kind: string, work: () => Promise<void>): Promise<void> {
    try {
      await this.turns.take(kind, work);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      if (why !== this.said) this.options.say(why);
      this.said = why;
    }
  }
}
