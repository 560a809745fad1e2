/** What reached the internet of a test, and what a test may say to it. One JSON object a line, both ways. */
import type { Moods, Zone } from "./zone.ts";

export type Seen =
  | {
      readonly kind: "dns";
      readonly over: "udp" | "tcp";
      /** The server that was asked. */
      readonly server: string;
      readonly name: string;
      readonly type: number;
      /** The port that it was asked from. */
      readonly from: number;
      readonly atMs: number;
    }
  | {
      readonly kind: "request";
      readonly address: string;
      readonly port: number;
      readonly sni: string | null;
      readonly host: string;
      readonly path: string;
    };

export type FromInternet = Seen | { readonly kind: "ready" } | { readonly kind: "mark"; readonly id: number };

export type ToInternet =
  | { readonly kind: "mark"; readonly id: number }
  | { readonly kind: "zone"; readonly zone: Zone }
  | { readonly kind: "moods"; readonly moods: Moods };
