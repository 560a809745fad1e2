import type { Reading } from "../reading.ts";
import type { Account, Listener } from "./listener.ts";
import type { DockerFacts } from "./docker.ts";
import type { Fail2banFacts } from "./fail2ban.ts";
import type { FirewallFacts } from "./firewall.ts";
import type { HostFacts } from "./host.ts";
import type { OperatorFacts } from "./operator.ts";
import type { OpenclawFacts } from "./openclaw.ts";
import type { ProxyFacts } from "./proxy.ts";
import type { SecretFacts } from "./secret.ts";
import type { SshFacts } from "./ssh.ts";
import type { TailscaleFacts } from "./tailscale.ts";
import type { UpdateFacts } from "./update.ts";
import type { Attestation } from "../waiver.ts";

/** Everything that was seen of one host at one moment. Plain values: no check looks anywhere else. */
export interface Facts {
  readonly takenMs: number;
  /** Whether root looked. Without root much is `unreadable`, and says so. */
  readonly privileged: boolean;
  readonly listeners: Reading<readonly Listener[]>;
  readonly accounts: Reading<readonly Account[]>;
  readonly ssh: Reading<SshFacts>;
  readonly firewall: Reading<FirewallFacts>;
  readonly fail2ban: Reading<Fail2banFacts>;
  readonly updates: Reading<UpdateFacts>;
  readonly docker: Reading<DockerFacts>;
  readonly secrets: Reading<SecretFacts>;
  readonly proxy: Reading<ProxyFacts>;
  readonly openclaw: Reading<OpenclawFacts>;
  readonly tailscale: Reading<TailscaleFacts>;
  readonly host: Reading<HostFacts>;
  /** Who is logged in, and by which door. */
  readonly operator: OperatorFacts;
  /** What only the operator can know and has stated. */
  readonly attested: readonly Attestation[];
  /** Whether the agent's processes may become another subject, as another part of Seawall answers it. */
  readonly containment: Reading<ContainmentFacts>;
}

export interface ContainmentFacts {
  readonly verdict: "contained" | "partly" | "not-contained";
  /** One line for each way out, with its cure. */
  readonly reasons: readonly { readonly way: string; readonly cure: string }[];
}
