/** What `seawall prove` says in a test, by row. */
import assert from "node:assert/strict";
import type { Finished } from "../support/host/command.ts";
import type { Host } from "../support/host/host.ts";
import type { Proof } from "../../src/prove/prove.ts";
import type { ProofRow } from "../../src/prove/row.ts";

export interface Proven {
  readonly code: number | null;
  readonly proof: Proof;
  readonly row: (id: string) => ProofRow;
  /** Ids of the rows with this status, in their order. */
  readonly ids: (status: ProofRow["status"]) => readonly string[];
}

/** Reads the one object of `seawall prove --json`. */
export function readProof({ code, stdout, stderr }: Finished): Proven {
  assert.notEqual(stdout, "", `nothing was proven: ${stderr}`);
  const proof = JSON.parse(stdout) as Proof;
  return {
    code,
    proof,
    row: (id) => {
      const found = proof.rows.find((row) => row.id === id);
      assert.ok(found, `there is no row ${id}`);
      return found;
    },
    ids: (status) => proof.rows.filter((row) => row.status === status).map(({ id }) => id),
  };
}

/** Ways past an agent's rules that are the same wherever it lives: open while it is watched, shut when enforced. */
export const WAYS = {
  /** Straight to an address. */
  out: [
    "raw-ipv4",
    "raw-ipv6",
    "quic-ipv4",
    "quic-ipv6",
    "dot",
    "doh-cloudflare",
    "doh-google",
    "doh-ipv6",
    "icmp",
    "icmp-ipv6",
    "proxy-ignored",
    "own-address",
    "own-address-ipv6",
    "after-exit",
  ],
  /** By asking for names. */
  names: ["dns-udp", "dns-tcp", "dns-ipv6", "txt-tunnel", "trailing-dot"],
  /** To a listed address under a name that is not listed, or under none. */
  named: ["sni-mismatch", "no-sni", "split-hello", "host-mismatch"],
  /** To a listed name, at a port of no rule. */
  ports: ["other-port", "quic-listed"],
  /** To the doors of the gate itself. */
  doors: ["gate-tls", "gate-http", "gate-dns"],
} as const;

/** Held whether or not outbound is enforced. */
export const METADATA = ["metadata-ipv4", "metadata-ipv6"] as const;

/** Returns the status of each of these rows. */
export function statuses(proven: Proven, ids: readonly string[]): unknown {
  return Object.fromEntries(ids.map((id) => [id, proven.row(id).status]));
}

/** Returns the same as `statuses` where every row has this status. */
export function all(ids: readonly string[], status: ProofRow["status"]): unknown {
  return Object.fromEntries(ids.map((id) => [id, status]));
}

/** Addresses of the corpus that worlds have not otherwise. */
export const CORPUS_ADDRESSES: readonly string[] = ["1.1.1.1", "2606:4700:4700::1111", "fd00:ec2::254"];

/** Starts a program of this user that listens on a unix socket of this mode. */
export async function serveSocket(host: Host, path: string, mode: string): Promise<void> {
  const serve = `require("node:net").createServer((one) => one.end()).listen(process.argv[1], () => {
    require("node:fs").chmodSync(process.argv[1], process.argv[2]); console.log("up"); })`;
  await host.shell(`mkdir -p "$(dirname ${path})"; rm -f ${path}`);
  const child = host.start([process.execPath, "-e", serve, path, mode]);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("close", () => reject(new Error(`nobody listens on ${path}`)));
  });
}
