/** What reached the internet of a test. */
export type Seen =
  | {
      readonly kind: "dns";
      readonly over: "udp" | "tcp" | "https";
      /** The server that was asked. */
      readonly address: string;
      readonly name: string;
      /** RFC 1035 QTYPE. */
      readonly type: number;
    }
  | { readonly kind: "connection"; readonly address: string; readonly port: number }
  | {
      readonly kind: "request";
      readonly scheme: "http" | "https";
      readonly address: string;
      /** The name in the TLS hello; null without one. */
      readonly sni: string | null;
      readonly host: string;
      readonly path: string;
    };

/** One line of the internet's output. `mark` answers a line of its input, after all that it saw before. */
export type Line = Seen | { readonly kind: "ready" } | { readonly kind: "mark"; readonly text: string };

export type Report = (seen: Seen) => void;
