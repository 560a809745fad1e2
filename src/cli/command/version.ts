import { existsSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VERSION } from "../../core/base/version.ts";
import { POLICY_VERSION } from "../../core/policy/parse/vocabulary.ts";
import { findProgram, runSync } from "../../edge/host/command.ts";
import { HISTORY_FORMAT } from "../../edge/state/history-entry.ts";
import { STORE_FORMAT } from "../../edge/store/migration/list.ts";
import { type Command, NO_WORDS, SCHEMA } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const command: Command = {
  path: ["version"],
  summary: "Say which version this is, and what it runs with",
  about:
    "Prints the versions that a report of a problem needs: Seawall, Node.js, nft, the kernel, and of the files it writes. It needs no root, and never asks the network whether there is a newer one.",
  usage: "seawall version [--json]",
  words: NO_WORDS,
  who: "anybody",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "print them as one JSON object" },
  exits: { 0: "printed, also when nft is missing", 2: "bad usage" },
  places: [],
  examples: ["seawall version", "seawall version --json", "seawall --version"],
  seeAlso: ["status", "policy migrate"],
  run: async (context) => {
    const versions = readVersions();
    context.out(context.flags["json"] === true ? `${JSON.stringify(versions)}\n` : screen(versions));
    return EXIT.ok;
  },
};

type Origin = "installed" | "checkout" | "package";

interface Versions {
  readonly schema: typeof SCHEMA;
  readonly version: string;
  readonly node: string;
  /** Null when nft is not installed, or says nothing that looks like a version. */
  readonly nft: string | null;
  readonly kernel: string;
  readonly from: { readonly kind: Origin; readonly path: string };
  /** Of what is written to files: a Seawall reads these and older ones. */
  readonly formats: { readonly policy: number; readonly store: number; readonly history: number };
}

function readVersions(): Versions {
  const root = join(import.meta.dirname, "..", "..", "..");
  return {
    schema: SCHEMA,
    version: VERSION,
    node: process.versions.node,
    nft: nftVersion(),
    kernel: release(),
    from: { kind: originOf(root), path: root },
    formats: { policy: POLICY_VERSION, store: STORE_FORMAT, history: HISTORY_FORMAT },
  };
}

function nftVersion(): string | null {
  if (findProgram("nft") === undefined) return null;
  const { stdout } = runSync("nft", ["--version"]);
  return /\bv?(\d+\.\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? null;
}

/** Where the installer puts it; anything else is a checkout with its sources, or a package of npm. */
const INSTALLED = "/usr/lib/seawall";

function originOf(root: string): Origin {
  if (root === INSTALLED) return "installed";
  return existsSync(join(root, "script", "run-tests.ts")) ? "checkout" : "package";
}

const ORIGINS: Readonly<Record<Origin, string>> = {
  installed: "installed",
  checkout: "a checkout",
  package: "a package of npm",
};

function screen({ version, node, nft, kernel, from, formats }: Versions): string {
  return [
    `seawall ${version}`,
    `node    ${node}`,
    `nft     ${nft ?? "not installed: apt-get install nftables"}`,
    `kernel  ${kernel}`,
    `from    ${from.path} (${ORIGINS[from.kind]})`,
    `formats policy ${formats.policy}, store ${formats.store}, history ${formats.history}`,
    "",
  ].join("\n");
}
