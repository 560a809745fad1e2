/** Containers in three networks, the policies of their tests, and what an agent must not get through. */
import type { Agent } from "./agent.ts";
import { CORE_RULES, HOST_SERVICE_PORT } from "./scope-rows.ts";
import { type ScopeWorld, startScopeWorld } from "./scope-world.ts";
import { ELSEWHERE4, ELSEWHERE6 } from "./zone.ts";

export const EMBEDDED = "127.0.0.11";
export const BRIDGE_GATEWAY = "172.17.0.1";
export const MATES_GATEWAY = "172.30.1.1";
const RISKS = `
accept_risk:
  - {scope: agent, reason: a container of this test, by: me, expires: 2099-01-01}`;
export const ONE = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {docker: bridge}}
inbound: []
outbound:${CORE_RULES("agent")}${RISKS}
`;
export const WATCHED = ONE.replace("outbound: enforce", "outbound: observe");
export const TWO = `version: 1
mode: {inbound: observe, outbound: enforce}
scopes: {agent: {docker: bridge}, mates: {docker: mates}}
inbound: []
outbound:${CORE_RULES("agent")}
  - {id: third, allow: third.example.com, port: [80, 443, 8080], scope: mates, why: a rule of this test}
  - {id: mates, allow: good.example.com, port: [80, 443, 8080], scope: mates, why: a rule of this test}${RISKS}
  - {scope: mates, reason: a container of this test, by: me, expires: 2099-01-01}
`;
export const HAMMERED = [ELSEWHERE4, ELSEWHERE6].flatMap((address) => [
  { address, port: 80, over: "tcp" as const },
  { address, port: 443, over: "udp" as const },
]);
/** An agent in each of the containers that every test has. */
export interface Boxes {
  readonly box: Agent;
  readonly mate: Agent;
  readonly stranger: Agent;
}

/** Starts a world with `box` in the default network, `mate` in `mates`, `stranger` in `strangers`. */
export async function startDockerWorld(): Promise<ScopeWorld> {
  const world = await startScopeWorld({ docker: true });
  try {
    await world.host.shell(NETWORKS);
    await world.host.listen(HOST_SERVICE_PORT);
    await world.container("box", "bridge");
    await world.container("mate", "mates");
    await world.container("stranger", "strangers");
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** Agents in the containers as they run now. */
export async function enterBoxes(world: ScopeWorld): Promise<Boxes> {
  return {
    box: await world.inContainer("box"),
    mate: await world.inContainer("mate"),
    stranger: await world.inContainer("stranger"),
  };
}

/** Resolves to how many packets came to where no listed name is, while something was done. */
export async function elsewhere(world: ScopeWorld, work: () => Promise<unknown>): Promise<number> {
  const { packets } = await world.during(work);
  return packets(ELSEWHERE4) + packets(ELSEWHERE6);
}

/** The same while an agent tries TCP, UDP and ICMP. */
export function tries(world: ScopeWorld, agent: Agent): Promise<number> {
  return elsewhere(world, async () => {
    await agent.http("evil.example.net", { address: ELSEWHERE4 });
    await agent.datagram({ address: ELSEWHERE4, port: 443 });
    await agent.ping(ELSEWHERE4);
  });
}

const NETWORKS = `
docker network create --subnet 172.30.1.0/24 --ipv6 --subnet 2001:db8:d18::/64 mates
docker network create --subnet 172.30.2.0/24 strangers
ip -n upstream -6 route replace 2001:db8:d0c::/64 via 2001:db8:1::10
ip -n upstream -6 route replace 2001:db8:d18::/64 via 2001:db8:1::10
`;
