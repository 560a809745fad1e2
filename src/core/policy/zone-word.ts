/** What every reader of a policy calls the zones that nobody writes. Light: `status` needs them on every prompt. */

/** Any interface that no zone names and that is none of INNER_INTERFACES. */
export const WORLD = "world";
/** The zone of the interfaces that are never judged: loopback, container bridges, the tailnet. */
export const INNER_INTERFACES: readonly string[] = ["lo", "docker*", "br-*", "tailscale*"];
