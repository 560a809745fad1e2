/** Every check, in the order in which reports name them. */
import type { Check } from "../check.ts";
import { APP_ACCESS_CHECKS } from "./app-access.ts";
import { APP_POWER_CHECKS } from "./app-power.ts";
import { APP_PROCESS_CHECKS } from "./app-process.ts";
import { DOCKER_CONTAINER_CHECKS } from "./docker-container.ts";
import { DOCKER_HOST_CHECKS } from "./docker-host.ts";
import { FAIL2BAN_CHECKS } from "./fail2ban.ts";
import { FIREWALL_HOST_CHECKS } from "./firewall-host.ts";
import { FIREWALL_RULE_CHECKS } from "./firewall-rule.ts";
import { CONTAINMENT_CHECKS, HOST_CHECKS } from "./host.ts";
import { PROXY_CHECKS } from "./proxy.ts";
import { REMOTE_CHECKS } from "./remote.ts";
import { SECRET_CHECKS } from "./secrets.ts";
import { SSH_LOGIN_CHECKS } from "./ssh-login.ts";
import { SSH_SERVER_CHECKS } from "./ssh-server.ts";
import { UPDATE_CHECKS } from "./updates.ts";

const byId = (left: Check, right: Check): number => (left.id < right.id ? -1 : 1);

export const CHECKS: readonly Check[] = [
  [...SSH_LOGIN_CHECKS, ...SSH_SERVER_CHECKS],
  [...FIREWALL_RULE_CHECKS, ...FIREWALL_HOST_CHECKS],
  FAIL2BAN_CHECKS,
  UPDATE_CHECKS,
  [...DOCKER_CONTAINER_CHECKS, ...DOCKER_HOST_CHECKS],
  SECRET_CHECKS,
  PROXY_CHECKS,
  [...APP_ACCESS_CHECKS, ...APP_POWER_CHECKS, ...APP_PROCESS_CHECKS],
  REMOTE_CHECKS,
  HOST_CHECKS,
  CONTAINMENT_CHECKS,
].flatMap((checks) => checks.toSorted(byId));

export function checkNamed(id: string): Check | undefined {
  return CHECKS.find((check) => check.id === id.toUpperCase());
}
