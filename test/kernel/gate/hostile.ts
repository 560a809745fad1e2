/** What a test tells a gate that is taken over to do. */

export interface WrongPin {
  readonly scope: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly seconds: number;
}

export type HostileAsk =
  | { readonly do: "link"; readonly forMs: number }
  | { readonly do: "pin"; readonly wish: object }
  /** A frame of these bytes; `header` instead of their length. */
  | { readonly do: "frame"; readonly base64: string; readonly header: number | null }
  | {
      readonly do: "flood";
      readonly texts: readonly string[];
      readonly forMs: number;
      readonly deaf: boolean;
    }
  | { readonly do: "leave" };

export interface Linked {
  readonly linked: boolean;
  /** Of the last error, or `none`. */
  readonly code: string;
}
