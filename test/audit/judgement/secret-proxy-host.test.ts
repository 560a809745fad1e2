import { describe, test } from "node:test";
import type { Facts } from "../../../src/core/audit/fact/facts.ts";
import { absent, read } from "../../../src/core/audit/reading.ts";
import { change, partOf } from "../facts/change.ts";
import { accept, good, hidden, judgeRow, titleOf, port, rules, type Row } from "./row.ts";

function siteAnswering(status: number, authentication: readonly string[]): Facts {
  const answers = ["GET /", "WebSocket /"].map((request) => ({ request, status, headers: {} }));
  const site = { ...partOf(good, "proxy").sites[0], authentication, answers };
  return change(good, "proxy", { sites: [site as never] });
}

const ROWS: readonly Row[] = [
  [
    "a secret in the history and a history that is only half read",
    "SEC-004",
    change(good, "secrets", {
      repositories: read([
        { path: "/r", hits: [], unignored: [], hasEnv: false, commits: 2000, complete: false },
      ]),
    }),
    "unknown",
  ],
  [
    "keys in an .env file that is 600 are still plain",
    "SEC-006",
    change(good, "secrets", {
      sealed: [],
      envFiles: [
        {
          ...partOf(good, "secrets").envFiles[0],
          hits: [{ place: ".env:1", rule: "OpenAI API key" }],
        } as never,
      ],
    }),
    "fail",
    /in plain text/,
  ],
  [
    "a private memory that swaps to an encrypted disk",
    "SEC-010",
    change(good, "secrets", { swap: ["/dev/dm-0"], swapEncrypted: true }),
    "pass",
  ],
  [
    "headers on 200 and missing on 401",
    "PRX-003",
    change(good, "proxy", {
      sites: [
        {
          ...partOf(good, "proxy").sites[0],
          answers: [{ request: "GET /", status: 401, headers: {} }],
        } as never,
      ],
    }),
    "fail",
    /GET \/ 401/,
  ],
  [
    "headers that vanish when the gateway is down",
    "PRX-004",
    change(good, "proxy", { sites: [{ ...partOf(good, "proxy").sites[0], onErrors: read([]) } as never] }),
    "fail",
    /502/,
  ],
  [
    "403 without a login in the configuration is the gateway's own, and no login",
    "PRX-008",
    siteAnswering(403, []),
    "fail",
    /answered by 403/,
  ],
  ["403 where certificates of clients are asked for", "PRX-008", siteAnswering(403, ["client_auth"]), "pass"],
  [
    "WebSockets that the gateway refuses to everybody",
    "PRX-006",
    siteAnswering(403, []),
    "fail",
    /answered by 403/,
  ],
  [
    "the admin interface in the file is a socket, the process still listens on 2019",
    "PRX-011",
    change(good, "proxy", { admin: read("127.0.0.1:2019") }),
    "fail",
  ],
  [
    "nginx that drops inherited headers",
    "PRX-013",
    change(good, "proxy", { kind: "nginx", lostHeaders: [] }),
    "pass",
  ],
  ["no proxy runs", "PRX-001", { ...good, proxy: absent("no reverse proxy runs here") }, "not-applicable"],
  [
    "shadow cannot be read",
    "HOST-003",
    {
      ...good,
      accounts: read([
        { name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/sh", groups: [], password: null },
      ]),
    },
    "unknown",
  ],
  ["containment that nobody looked at", "CTN-001", { ...good, containment: hidden }, "unknown"],
  [
    "a host of one's own has no provider",
    "NET-003",
    { ...change(good, "host", { virtual: null }), attested: [] },
    "not-applicable",
  ],
  [
    "Tailscale gets in although the world does not",
    "NET-002",
    rules([port(80), accept]),
    "fail",
    /tailscale0 is dropped/,
  ],
];

describe("secret, proxy, host: a check says what is so", () => {
  for (const row of ROWS) test(titleOf(row), () => judgeRow(row));
});
