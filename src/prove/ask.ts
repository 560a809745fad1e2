/** What root asks a process in the agent's place to try, and what it says came back. One JSON object a line, both ways. */
import { z } from "zod";

interface Target {
  readonly address: string;
  readonly port: number;
}

export type Ask =
  /** Opens a connection and closes it; nothing is sent. */
  | ({ readonly do: "tcp" } & Target)
  /** Sends one empty datagram. */
  | ({ readonly do: "udp" } & Target)
  | {
      readonly do: "dns";
      readonly server: string;
      readonly name: string;
      readonly type: number;
      readonly over: "udp" | "tcp";
    }
  /** Greets by TLS, with this server name or none; `pieceBytes`: in pieces of so many bytes. */
  | ({ readonly do: "tls"; readonly name: string | null; readonly pieceBytes: number | null } & Target)
  /** Sends bytes (latin1) and reads the first of what comes back. */
  | ({ readonly do: "say"; readonly text: string } & Target)
  /** Connects to the first of some unix sockets that is there. */
  | { readonly do: "unix"; readonly paths: readonly string[] }
  /** Runs a program of the system to its end. */
  | { readonly do: "run"; readonly program: string; readonly args: readonly string[]; readonly input: string }
  /** Writes itself into cgroups, then connects. */
  | ({ readonly do: "leave"; readonly cgroups: readonly string[] } & Target)
  /** Sends what it can and ends in the same moment, so that the kernel sends for nobody. There is no answer. */
  | ({ readonly do: "vanish" } & Target)
  /** Listens on a port of loopback that is free. */
  | { readonly do: "listen" };

/** `refused`: the kernel or the other side said no. `silent`: it was sent, nothing came back. `absent`: not there. */
const ANSWER = z.strictObject({
  outcome: z.enum(["reached", "refused", "silent", "absent", "failed"]),
  /** An errno name, an exit status, or what protocol said. */
  code: z.string().max(200),
  ms: z.number(),
  /** The first words of the other side. */
  text: z.string().max(2_000),
  dns: z
    .strictObject({
      rcode: z.number(),
      addresses: z.array(z.string().max(64)).max(64),
      ede: z.string().max(1_000).nullable(),
    })
    .nullable(),
});

export type Answer = z.infer<typeof ANSWER>;
export type Outcome = Answer["outcome"];

const SAID = z.strictObject({
  id: z.int(),
  answer: ANSWER,
  /** Ports of its own that the attempt was made from. */
  ports: z.array(z.int().min(1).max(65_535)).max(16),
});

type Said = z.infer<typeof SAID>;

/** Returns what a line says, or undefined for any other text. SECURITY: the agent has the uid of who writes it. */
export function parseSaid(line: string): Said | undefined {
  try {
    const read = SAID.safeParse(JSON.parse(line));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

/** The code of a datagram that met an ICMP error: Seawall refuses so, and so does a host where nobody listens. */
export const PORT_UNREACHABLE = "port unreachable";
/** LIMIT: how long one attempt may take. */
export const ATTEMPT_MS = 2_500;
/** LIMIT: characters of what the other side said. */
export const TEXT_CHARS_MAX = 1_500;
