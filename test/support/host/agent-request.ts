/** How one connection attempt ended, as a program on the other side sees it. */
export type Outcome = "connected" | "refused" | "reset" | "timeout" | "unreachable";

export type Target = { readonly to: string; readonly port: number; readonly from?: string };

/** What became of the attempts on one target. */
export type Hammered = { attempts: number; connected: number; refused: number; other: number };

export type Request =
  | ({ readonly do: "connect"; readonly deadlineMs: number } & Target)
  | ({ readonly do: "open"; readonly deadlineMs: number; readonly key: number } & Target)
  | { readonly do: "exchange"; readonly key: number; readonly text: string; readonly deadlineMs: number }
  | { readonly do: "close"; readonly key: number }
  | { readonly do: "listen"; readonly address: string; readonly port: number }
  | { readonly do: "hammer-start"; readonly targets: readonly Target[]; readonly everyMs: number }
  | { readonly do: "hammer-stop" };

export type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string };
