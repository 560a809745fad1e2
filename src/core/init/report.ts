/** What `seawall init` tells a person: what was found and by what sign, and what to look at. */
import { shownPath } from "../openclaw/shown.ts";
import type { Need } from "../openclaw/gathering.ts";
import { PRESETS } from "../policy/preset/preset.ts";
import { destinationsOf, shownEndpoint } from "./destination.ts";
import type { Facts, Instance } from "./facts.ts";
import { planScopes } from "./scope.ts";

/** One line: a short word, and what stands behind it. */
export interface FoundLine {
  readonly word: string;
  readonly text: string;
}

/** Returns what was found, in the order a person would ask. */
export function foundLines(facts: Facts): FoundLine[] {
  const { instances, neighbours } = facts;
  const { ssh, ufw, docker, tunnels } = neighbours;
  return [
    ...(instances.length === 0
      ? [{ word: "OpenClaw", text: "none: no gateway runs, and no home holds .openclaw/openclaw.json" }]
      : instances.flatMap(instanceLines)),
    {
      word: "SSH",
      text:
        ssh.length === 0
          ? "no server listens"
          : ssh.map(({ port, evidence }) => `${port} (${evidence})`).join(", "),
    },
    ...(ufw === "absent"
      ? []
      : [
          {
            word: "UFW",
            text:
              ufw === "active"
                ? "active, and goes on deciding: what it shuts stays shut"
                : "installed, not active",
          },
        ]),
    ...(docker ? [{ word: "Docker", text: "runs; published ports are judged by this policy too" }] : []),
    ...tunnels.map(({ name, port }) => ({
      word: "tunnel",
      text: port === null ? `${name}, its port could not be found out` : `${name}, udp/${port}`,
    })),
  ];
}

function instanceLines(instance: Instance): FoundLine[] {
  const { configPath, evidence, user, uid, container, needs } = instance;
  const place =
    container === null ? `user ${user ?? uid}` : `container ${container.id.slice(0, 12)}, uid ${uid}`;
  const head = { word: "OpenClaw", text: `${shownPath(configPath)}, ${place} (${shownPath(evidence)})` };
  if (needs === null) return [head];
  const rows: [string, readonly string[]][] = [
    [
      "gateway",
      [`port ${needs.gateway.port}${needs.gateway.bind === null ? "" : `, bind ${needs.gateway.bind}`}`],
    ],
    ["models", presetsOf(needs.presets, ["provider"])],
    ["channels", presetsOf(needs.presets, ["channel"])],
    ["services", presetsOf(needs.presets, ["search", "speech", "tool"])],
    ["servers", needs.endpoints.map(({ value, because }) => `${shownEndpoint(value)} (${because[0] ?? ""})`)],
    [
      "webhooks",
      needs.listeners.map(({ value }) => `${value.channel}${value.port === null ? "" : ` at ${value.port}`}`),
    ],
    ["proxy", needs.proxy === null ? [] : [shownEndpoint(needs.proxy)]],
  ];
  return [
    head,
    ...rows.flatMap(([word, texts]) => (texts.length === 0 ? [] : [{ word, text: texts.join(", ") }])),
  ];
}

const KIND_OF: ReadonlyMap<string, string> = new Map(PRESETS.map(({ name, kind }) => [name, kind]));

function presetsOf(presets: readonly Need<string>[], kinds: readonly string[]): string[] {
  return presets
    .filter(({ value }) => kinds.includes(KIND_OF.get(value) ?? ""))
    .map(({ value, because }) => `${value} (${because[0] ?? ""})`);
}

/** Returns what a person has to look at, each in one sentence. */
export function openQuestions(facts: Facts): string[] {
  const plans = planScopes(facts.instances);
  const listed = facts.instances.flatMap(({ needs, problems }) => [...problems, ...(needs?.open ?? [])]);
  const unheld = plans.flatMap(({ problem, instances }) =>
    problem === null
      ? []
      : instances.map(({ configPath }) => `${shownPath(configPath)} is not held: ${problem}`),
  );
  const left = plans.flatMap((plan) => (plan.target === null ? [] : destinationsOf(plan).left));
  const browsing = [...new Set(facts.instances.flatMap(({ needs }) => needs?.browsing ?? []))];
  const browses =
    browsing.length === 0
      ? []
      : [`${browsing.join(" and ")} can ask for any site: once enforced, only what is listed answers`];
  return [...new Set([...facts.notLookedAt, ...listed, ...unheld, ...left, ...browses])];
}
