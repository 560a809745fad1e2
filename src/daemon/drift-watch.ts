/** Watches our table for what others do to it, and puts it right. */
import { heal, type Healing } from "../apply/heal.ts";
import { type DriftEvent, type DriftRecord, writeDriftRecord } from "../apply/drift-record.ts";
import { SeawallError } from "../core/base/error.ts";
import { TABLE } from "../core/compile/nftables/table.ts";
import { lostRules, type OwnedTable } from "../core/drift/table-owner.ts";
import { locked } from "../edge/kernel/change-lock.ts";
import { listTables } from "../edge/kernel/foreign-tables.ts";
import { type RulesChange, watchRules } from "../edge/kernel/rules-watch.ts";
import { conditionOf } from "../apply/expected.ts";
import { readLandmark } from "../apply/landmark.ts";
import { readLive } from "../edge/kernel/live.ts";
import { readBoot } from "../edge/state/boot-file.ts";
import type { Folders } from "../edge/state/folder.ts";
import type { Say } from "./say.ts";
import { createGuard } from "./guarded.ts";

export interface DriftWatchOptions {
  readonly folders: Folders;
  readonly nowMs: () => number;
  readonly say: Say;
  /** Our table was made anew: what others had put into it is gone. */
  readonly onHealed: () => void;
}

export interface DriftWatch {
  readonly stop: () => Promise<void>;
}

/** LIMIT: healings in HEAL_WINDOW_MS; beyond it two managers fight, and somebody has to look. */
export const HEALS_MAX = 3;
const HEAL_WINDOW_MS = 60_000;
/** A transaction of another program may be the first of several. */
const SETTLE_MS = 10;
/** A command holds the lock of changes: it is looked at again when it is done. */
const BUSY_WAIT_MS = 50;
/** The kernel may have lost what it had to tell. */
const LOOK_STEP_MS = 5_000;
/** Programs that reload take their rules away first. */
const OTHERS_WAIT_MS = 5_000;

/** Watches until `stop`. The first look is at once: the machine may have started without us. */
export function startDriftWatch(options: DriftWatchOptions): DriftWatch {
  const watch = new Watch(options);
  watch.start();
  return { stop: () => watch.stop() };
}

class Watch {
  readonly options: DriftWatchOptions;
  /** Runs what a timer or the kernel calls: a failure there is said, and the next look is tried. */
  readonly guarded: (work: () => unknown) => void;
  record: DriftRecord = { healed: 0, alarm: false, last: null, others: [] };
  /** When our table was put right, newest last, by the steady clock. */
  heals: number[] = [];
  lastChange: RulesChange | null = null;
  /** When it came, by the steady clock. */
  changedAt = 0;
  before: readonly OwnedTable[] = [];
  soon: NodeJS.Timeout | null = null;
  others: NodeJS.Timeout | null = null;
  steps: NodeJS.Timeout | null = null;
  rules: { stop(): Promise<void> } | null = null;
  saidTrouble = "";
  isStopped = false;

  constructor(options: DriftWatchOptions) {
    this.options = options;
    const guard = createGuard((text) => this.say(text));
    this.guarded = guard.callback("the rules were not looked at", (work: () => unknown) => work());
  }

  start(): void {
    this.before = listTables();
    this.rules = watchRules({
      onChange: (change) => this.guarded(() => this.take(change)),
      onLost: () => {
        this.lookIn(SETTLE_MS);
        this.lookAtOthersSoon();
      },
      onFailure: (cause) =>
        this.say(`cannot watch the rules any more: ${cause.message}; they are looked at every 5 s`),
    });
    this.steps = setInterval(() => this.lookIn(0), LOOK_STEP_MS);
    this.lookIn(0);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const timer of [this.soon, this.others, this.steps]) if (timer !== null) clearTimeout(timer);
    await this.rules?.stop();
  }

  take(change: RulesChange): void {
    if (change.own) return;
    const isOurs =
      change.untold > 0 || change.touched.some(({ family, table }) => family === "inet" && table === TABLE);
    if (isOurs) {
      // Another `seawall` holds the lock of changes; what it does is no drift, and nobody to blame for one.
      if (change.origin?.command !== "seawall" && change.origin?.ancestors[0] !== "seawall")
        this.noteChange(change);
      this.lookIn(SETTLE_MS);
    }
    this.lookAtOthersSoon();
  }

  noteChange(change: RulesChange): void {
    this.changedAt = performance.now();
    this.lastChange = change;
  }

  lookIn(ms: number): void {
    if (this.isStopped) return;
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.guarded(() => this.look());
    }, ms);
  }

  lookAtOthersSoon(): void {
    this.others ??= setTimeout(() => this.lookAtOthers(), OTHERS_WAIT_MS);
  }

  /** Never throws: what cannot be done now is tried at the next look. */
  async look(): Promise<void> {
    const { folders, onHealed } = this.options;
    try {
      const healing = await locked(folders.run, () => (this.isTired() ? null : heal(folders)), 0);
      if (healing === null) return;
      if (healing.kind === "healed" || healing.kind === "renewed") onHealed();
      if (healing.kind === "renewed") this.say(healing.said);
      if (healing.kind === "healed" || healing.kind === "failed") this.remember(healing);
    } catch (cause) {
      if (cause instanceof SeawallError && cause.code === "SEAWALL_BUSY") return this.lookIn(BUSY_WAIT_MS);
      this.sayOnce(`cannot look at the rules: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }

  /** Whether our table was put right so often that it is left for a while; what is wrong with it now is an alarm. */
  isTired(): boolean {
    const now = performance.now();
    this.heals = this.heals.filter((one) => now - one < HEAL_WINDOW_MS);
    const tired = this.heals.length >= HEALS_MAX;
    const alarm = tired && (this.record.alarm || isBroken(this.options.folders));
    if (alarm && !this.record.alarm) {
      this.say(`our rules were put right ${HEALS_MAX} times in a minute and are changed again; ${WAITING}`);
    }
    if (alarm !== this.record.alarm) this.write({ ...this.record, alarm });
    return tired;
  }

  remember(healing: Extract<Healing, { kind: "healed" | "failed" }>): void {
    this.heals.push(performance.now());
    const by = this.lastChange === null ? null : whoOf(this.lastChange);
    const after = this.lastChange === null ? {} : { afterMs: Math.round(performance.now() - this.changedAt) };
    this.lastChange = null;
    const outcome = healing.kind === "healed" ? "healed" : "not healed";
    const last: DriftEvent = {
      at: new Date(this.options.nowMs()).toISOString(),
      what: healing.kind === "failed" ? `${healing.said}; ${healing.why}` : healing.said,
      by,
      outcome,
      damage: healing.damage,
      ...after,
    };
    const lost =
      healing.kind === "healed" && healing.lost ? "; the change that waited for its confirm is gone" : "";
    const text = `${last.what}${by === null ? "" : `, by ${by}`}: ${outcome}${lost}`;
    if (outcome === "healed") this.say(text);
    else this.sayOnce(text);
    this.write({ ...this.record, healed: this.record.healed + (outcome === "healed" ? 1 : 0), last });
  }

  /** Their rules are theirs: it is only said what they have lost. */
  lookAtOthers(): void {
    this.others = null;
    if (this.isStopped) return;
    try {
      const lost = lostRules(this.before, listTables());
      const others = lost.flatMap(({ owner, tables, everything }) =>
        owner === null || !everything || owner === "Seawall"
          ? []
          : [{ said: `${owner}'s rules are gone (${tables.join(", ")})`, help: cureOf(owner) }],
      );
      const known = new Set(this.record.others.map(({ said }) => said));
      for (const { said, help } of others) if (!known.has(said)) this.say(`${said}; try: ${help}`);
      if (JSON.stringify(others) !== JSON.stringify(this.record.others))
        this.write({ ...this.record, others });
      if (others.length === 0) this.before = listTables();
    } catch (cause) {
      this.sayOnce(cause instanceof Error ? cause.message : String(cause));
    }
  }

  write(record: DriftRecord): void {
    this.record = record;
    const trouble = writeDriftRecord(this.options.folders, record);
    if (trouble !== null) this.sayOnce(trouble);
  }

  sayOnce(text: string): void {
    if (text !== this.saidTrouble) this.say(text);
    this.saidTrouble = text;
  }

  say(text: string): void {
    this.options.say(text);
  }
}

function isBroken(folders: Folders): boolean {
  const isBooting = readBoot(folders.state) !== null;
  return conditionOf(readLive(), readLandmark(folders), isBooting).kind === "broken";
}

const WAITING = "they are looked at again in a minute (find out who: seawall status)";

function whoOf({ program, pid, origin }: RulesChange): string {
  const unit = origin?.unit == null ? "" : `, of ${origin.unit}`;
  const parent = origin?.ancestors[0] === undefined ? "" : `, started by ${origin.ancestors[0]}`;
  return `${program} (pid ${pid}${unit === "" ? parent : unit})`;
}

function cureOf(owner: string): string {
  switch (owner) {
    case "UFW":
      return "ufw reload";
    case "Docker":
      return "systemctl restart docker";
    default:
      return `restart ${owner}`;
  }
}
