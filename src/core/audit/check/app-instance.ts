/** What checks of OpenClaw share: judging every instance, by its configuration. */
import { type Outcome, fail, given, notApplicable, pass, unknown } from "../check.ts";
import type { Facts } from "../fact/facts.ts";
import type { ConfigObject, OpenclawInstance } from "../fact/openclaw.ts";

/** Judges every instance: one that fails fails all, one that cannot be seen makes the whole unknown. */
export function onInstances(facts: Facts, judge: (instance: OpenclawInstance) => Outcome): Outcome {
  return given(facts.openclaw, ({ instances, notLookedAt, claims }) => {
    if (instances.length === 0) return notApplicable("no OpenClaw was found on this host");
    const named = instances.map((instance) => ({
      instance,
      name: instances.length > 1 ? `${instance.name}: ` : "",
      outcome: judge(instance),
    }));
    const failed = named.flatMap(({ instance, name, outcome }) =>
      outcome.status === "fail" ? [{ instance, name, outcome }] : [],
    );
    const [first] = failed;
    if (first !== undefined) {
      const { fix, severity } = first.outcome;
      return fail(
        failed.flatMap(({ name, outcome }) => outcome.evidence.map((line) => name + line)),
        {
          instances: failed.map(({ instance }) => instance),
          ...(fix === undefined ? {} : { fix }),
          ...(severity === undefined || failed.length > 1 ? {} : { severity }),
        },
      );
    }
    const hidden = named.flatMap(({ name, outcome }) =>
      outcome.status === "unknown" ? [{ name, outcome }] : [],
    )[0];
    if (hidden !== undefined) return unknown(hidden.name + hidden.outcome.why, hidden.outcome.needs);
    const [limited] = notLookedAt;
    if (limited !== undefined) return unknown(limited, "ps -eo user,pid,args | grep -E 'openclaw|clawdbot'");
    const passed = named.flatMap(({ name, outcome }) =>
      outcome.status === "pass" ? outcome.evidence.map((line) => name + line) : [],
    );
    if (passed.length > 0) return pass(...passed, ...claims);
    const [none] = named.flatMap(({ outcome }) => (outcome.status === "not-applicable" ? [outcome.why] : []));
    return notApplicable(none ?? "no OpenClaw was found on this host");
  });
}

export function onConfigs(
  facts: Facts,
  judge: (config: ConfigObject, instance: OpenclawInstance) => Outcome,
): Outcome {
  return onInstances(facts, (instance) => given(instance.config, (config) => judge(config, instance)));
}
