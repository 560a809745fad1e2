/** What systemd says about units. */
import { ask } from "./ask.ts";
import { stateAt } from "./file.ts";

export interface UnitState {
  /** `loaded`, `not-found`, `masked`. */
  readonly load: string;
  /** `active`, `inactive`, `failed`. */
  readonly active: string;
  /** `enabled`, `disabled`, `static`, `masked`. */
  readonly file: string;
}

/** Whether systemd is the init of this host (sd_booted(3)). */
export function hasSystemd(): boolean {
  return stateAt("/run/systemd/system") !== undefined;
}

/** Returns the states of units by name, or undefined when systemctl does not answer. */
export async function unitStates(
  units: readonly string[],
): Promise<ReadonlyMap<string, UnitState> | undefined> {
  const properties = await unitProperties(units, ["Id", "LoadState", "ActiveState", "UnitFileState"]);
  if (properties === undefined) return undefined;
  // A unit that is an alias answers by its own name, so the order of the question counts, not Id.
  return new Map(
    units.map((unit, index) => {
      const values = properties[index];
      return [
        unit,
        {
          load: values?.get("LoadState") ?? "",
          active: values?.get("ActiveState") ?? "",
          file: values?.get("UnitFileState") ?? "",
        },
      ];
    }),
  );
}

/**
 * Returns the properties of units in the order of the question, or undefined when systemctl does not answer. `whose`
 * asks a user's own systemd.
 */
export async function unitProperties(
  units: readonly string[],
  names: readonly string[],
  whose: readonly string[] = [],
): Promise<readonly ReadonlyMap<string, string>[] | undefined> {
  const answer = await ask("systemctl", ["show", ...whose, `--property=${names.join(",")}`, "--", ...units]);
  if (answer?.status !== 0) return undefined;
  return answer.stdout.split(/\n\n+/).map(
    (block) =>
      new Map(
        block.split("\n").flatMap((line) => {
          const at = line.indexOf("=");
          return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
        }),
      ),
  );
}
