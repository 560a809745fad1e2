/**
 * What an installation consists of. `seawall install`, `seawall uninstall` and the .deb all read this one list, so
 * that they can never differ.
 */

/** Where the parts live that only Seawall uses. */
export const LIBRARY = "/usr/lib/seawall";
export const UNIT_FOLDER = "/usr/lib/systemd/system";
/** Made by an installation, kept by an uninstallation unless it purges. Only root reads them. */
export const STATE_FOLDERS = ["/etc/seawall", "/var/lib/seawall"] as const;
export const STATE_FOLDER_MODE = 0o700;

export type Item =
  /** A file, or every file of a folder. What begins with `#!` may be executed; `needs` has to be among them. */
  | {
      readonly kind: "copy";
      readonly from: string;
      readonly to: string;
      readonly needs?: readonly string[];
      readonly gzip?: true;
    }
  /** The Node that every part of it runs with: root's own, whatever the user of the agent may write. */
  | { readonly kind: "node"; readonly to: string }
  /** The npm packages that the built program loads, for this machine alone. */
  | { readonly kind: "packages"; readonly to: string }
  /** package.json, without what only a checkout needs. */
  | { readonly kind: "package"; readonly to: string };

const DOC = "/usr/share/doc/seawall";
export const NODE_TERMS = `${DOC}/node-license.gz`;

export const PAYLOAD: readonly Item[] = [
  { kind: "node", to: `${LIBRARY}/node` },
  { kind: "copy", from: "dist", to: `${LIBRARY}/dist`, needs: ["cli/main.js"] },
  { kind: "packages", to: `${LIBRARY}/node_modules` },
  { kind: "package", to: `${LIBRARY}/package.json` },
  { kind: "copy", from: "schema", to: `${LIBRARY}/schema`, needs: ["policy.schema.json"] },
  { kind: "copy", from: "share/boot", to: LIBRARY, needs: ["boot.sh", "rescue.sh", "rescue.nft"] },
  { kind: "copy", from: "share/bin", to: "/usr/bin", needs: ["seawall"] },
  {
    kind: "copy",
    from: "share/systemd",
    to: UNIT_FOLDER,
    needs: ["seawall-boot.service", "seawalld.service", "nftables.service.d/seawall.conf"],
  },
  { kind: "copy", from: "share/man", to: "/usr/share/man", needs: ["man1/seawall.1"], gzip: true },
  {
    kind: "copy",
    from: "share/completions/bash",
    to: "/usr/share/bash-completion/completions",
    needs: ["seawall"],
  },
  {
    kind: "copy",
    from: "share/completions/zsh",
    to: "/usr/share/zsh/vendor-completions",
    needs: ["_seawall"],
  },
  {
    kind: "copy",
    from: "share/completions/fish",
    to: "/usr/share/fish/vendor_completions.d",
    needs: ["seawall.fish"],
  },
  { kind: "copy", from: "share/doc/copyright", to: `${DOC}/copyright` },
  { kind: "copy", from: "CHANGELOG.md", to: `${DOC}/changelog`, gzip: true },
];

/** The units that are enabled, in the order in which they start. */
export const UNITS = ["seawall-boot.service", "seawalld.service"] as const;

/** What a machine without systemd starts by hand, in this order. */
export const BY_HAND = [`${LIBRARY}/boot.sh`, "seawall daemon &"] as const;
