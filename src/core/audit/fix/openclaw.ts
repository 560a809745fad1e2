/** OpenClaw's own commands as they must be typed on this host: as the agent's user, for the instance that was found. */
import { shellWord } from "../../base/shell-word.ts";
import type { Facts } from "../fact/facts.ts";
import type { OpenclawInstance } from "../fact/openclaw.ts";
import { valueOr } from "../reading.ts";

/** The verbs of OpenClaw that a fix names. */
const COMMAND =
  /(?<![\w/.-])openclaw (?=(?:config|gateway|doctor|security|exec-policy|update|backup|sandbox|secrets|plugins) )/g;

/** Returns the instances that were found; none where nobody could look. */
export function openclawInstances({ openclaw }: Facts): readonly OpenclawInstance[] {
  return openclaw.kind === "read" ? openclaw.value.instances : [];
}

/**
 * Returns a fix with every `openclaw ...` of it as the agent's user runs it. As root the same words would write
 * /root/.openclaw, and the agent would stay as it is. Several instances have a line each.
 */
export function forInstances(fix: string, instances: readonly OpenclawInstance[], facts: Facts): string {
  if (!fix.match(COMMAND) || instances.length === 0) return fix;
  const lines = instances.map((instance) => {
    const text = fix.replaceAll(COMMAND, `${programOf(instance, facts)} `);
    return instances.length === 1 ? text : `${instance.name}: ${text}`;
  });
  return [...new Set(lines)].join("\n");
}

/** `sudo -u openclaw -H openclaw`, with what else tells the instance from others. */
export function programOf(instance: OpenclawInstance, facts: Facts): string {
  if (instance.container !== null) return `docker exec ${shellWord(instance.container)} openclaw`;
  const settings = settingsOf(instance, facts);
  const env = settings.length === 0 ? "" : `env ${settings.join(" ")} `;
  const { profile } = instance;
  const program = isDefault(profile) ? "openclaw" : `openclaw --profile ${shellWord(profile ?? "")}`;
  if (instance.uid === 0) return env + program;
  return `sudo -u ${shellWord(instance.user)} -H ${env}${program}`;
}

function isDefault(profile: string | null): boolean {
  return profile === null || profile === "default";
}

function settingsOf({ uid, profile, stateFolder, configFile }: OpenclawInstance, facts: Facts): string[] {
  const home = valueOr(facts.accounts, []).find((account) => account.uid === uid)?.home ?? "";
  const suffix = isDefault(profile) ? "" : `-${profile ?? ""}`;
  const folder = stateFolder?.path ?? `${home}/.openclaw${suffix}`;
  const isOwnFolder = folder === `${home}/.openclaw${suffix}`;
  const file = configFile?.path ?? `${folder}/openclaw.json`;
  return [
    ...(isOwnFolder ? [] : [`OPENCLAW_STATE_DIR=${shellWord(folder)}`]),
    ...(file === `${folder}/openclaw.json` ? [] : [`OPENCLAW_CONFIG_PATH=${shellWord(file)}`]),
  ];
}
