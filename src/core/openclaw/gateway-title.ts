/** How OpenClaw's gateway calls itself: what it writes over its command line, or how it was started. */

export interface ProcessTitle {
  /** The name of proc(5), 15 characters of it. */
  readonly comm: string;
  /** The command line, or what the process wrote over it. */
  readonly args: readonly string[];
}

const TITLE = /^(openclaw|clawdbot|moltbot)-gateway\b/;
const COMM = /^(openclaw|clawdbot|moltbot)-gatewa/;
const STARTED = /\b(?:openclaw(?:\.mjs)?|clawdbot|dist\/index\.js|dist\/entry\.js)\b.*\bgateway\b/;
/** Sub-commands of the gateway's command line that are not the gateway. */
const NOT_GATEWAY = /\bgateway (?:status|call|probe|install|stop|restart|health|discover)\b/;

/**
 * Whether a process calls itself OpenClaw's gateway. SECURITY: any process of any user can. It is no more than a reason
 * to look at what the kernel knows of it.
 */
export function callsItselfGateway({ comm, args }: ProcessTitle): boolean {
  const title = args.join(" ").trim();
  if (TITLE.test(title) || COMM.test(comm)) return true;
  const isNode = /(^|\/)(node|bun)$/.test(args[0] ?? "") || comm === "node" || comm === "MainThread";
  return isNode && STARTED.test(title) && !NOT_GATEWAY.test(title);
}
