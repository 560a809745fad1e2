/** Caddy and nginx as guides write them and as they should be, and what the audit says of each. */

export const NAME = "agent.example.org";
const STRIP =
  "header_up -Forwarded\nheader_up -X-Real-IP\nheader_up -X-Forwarded-User\nheader_up -Tailscale-User-Login\nheader_up -x-openclaw-scopes\n";
const HEADERS =
  'header Strict-Transport-Security "max-age=31536000; includeSubDomains"\nheader X-Content-Type-Options nosniff\nheader X-Frame-Options DENY\nheader -Server\n';
const HASH = "JDJhJDA0JDBDOVJEbFVMYzFMZ0xJWlNQZVRCUi5pdUxWSnhHVmVNZE5MWGVZVmpxRndiOGpHd2E1WFZT";

export type Row = {
  readonly name: string;
  readonly config: string;
  readonly expect: Readonly<Record<string, readonly [status: string, says?: RegExp]>>;
};

const caddyfile = (options: string, site: string): string => `{
${options}
skip_install_trust
}
${NAME} {
tls internal
${site}
}
`;

export const CADDY: readonly Row[] = [
  {
    name: "Caddy as most guides write it: no header, the admin interface on localhost, no login",
    config: caddyfile("", "reverse_proxy 127.0.0.1:18789"),
    expect: {
      "PRX-002": ["pass"],
      "PRX-003": ["fail", /strict-transport-security missing/],
      "PRX-004": ["fail"],
      "PRX-005": ["fail"],
      "PRX-006": ["fail", /opens without a login/],
      "PRX-007": ["fail", /tailscale-user-login/],
      "PRX-008": ["fail", /answered by 200/],
      "PRX-009": ["fail"],
      "PRX-010": ["pass"],
      "PRX-011": ["fail", /2019/],
      "PRX-012": ["pass"],
      "PRX-013": ["not-applicable"],
      "PRX-001": ["fail", /not trusted/],
    },
  },
  {
    name: "Caddy hardened: headers on every answer, identity stripped, a login, the admin interface on a socket",
    config: caddyfile(
      "admin unix//run/caddy-admin.sock",
      `${HEADERS}basicauth {\nann ${HASH}\n}\nreverse_proxy 127.0.0.1:18789 {\n${STRIP}}\nhandle_errors {\nheader -Server\nrespond "{err.status_code}" {err.status_code}\n}`,
    ),
    expect: {
      "PRX-003": ["pass"],
      "PRX-004": ["pass"],
      "PRX-005": ["pass"],
      "PRX-006": ["pass"],
      "PRX-007": ["pass"],
      "PRX-008": ["pass", /http_basic|asks for a login/],
      "PRX-010": ["pass"],
      "PRX-011": ["pass", /unix/],
      "PRX-012": ["pass"],
    },
  },
  {
    name: "Caddy whose headers are deferred: they vanish when the gateway is down",
    config: caddyfile(
      "",
      `header {\nStrict-Transport-Security "max-age=31536000; includeSubDomains"\nX-Content-Type-Options nosniff\ndefer\n}\nreverse_proxy 127.0.0.1:18789`,
    ),
    expect: { "PRX-003": ["fail", /502/], "PRX-004": ["fail", /502/] },
  },
  {
    name: "Caddy that leads to another machine",
    config: caddyfile("", "reverse_proxy 192.0.2.50:18789"),
    expect: { "PRX-010": ["fail", /192\.0\.2\.50/] },
  },
];

const nginx = (
  http: string,
  server: string,
  location: string,
): string => `worker_processes 1; pid /run/nginx.pid; error_log /run/nginx-error.log;
events {}
http { access_log off; ${http}
server { listen 80; server_name ${NAME}; return 308 https://$host$request_uri; }
server { listen 443 ssl; server_name ${NAME}; ssl_certificate /run/cert.pem; ssl_certificate_key /run/key.pem; ${server}
location / { proxy_pass http://127.0.0.1:18789; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; ${location} } } }
`;
const ALWAYS =
  'add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always; add_header X-Content-Type-Options nosniff always; add_header X-Frame-Options DENY always;';
const SET =
  'proxy_set_header Forwarded ""; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-User $remote_user; proxy_set_header Tailscale-User-Login ""; proxy_set_header x-openclaw-scopes "";';

export const NGINX: readonly Row[] = [
  {
    name: "nginx as most guides write it",
    config: nginx("", "", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"),
    expect: {
      "PRX-002": ["pass"],
      "PRX-003": ["fail"],
      "PRX-007": ["fail", /x-forwarded-for/],
      "PRX-008": ["fail"],
      "PRX-009": ["fail"],
      "PRX-011": ["not-applicable"],
      "PRX-012": ["pass"],
      "PRX-013": ["pass"],
      "PRX-014": ["fail", /names the program/],
    },
  },
  {
    name: "nginx hardened",
    config: nginx(
      "limit_req_zone $binary_remote_addr zone=a:1m rate=5r/s; server_tokens off; server { listen 443 ssl default_server; ssl_reject_handshake on; }",
      `${ALWAYS} auth_basic "agent"; auth_basic_user_file /run/users; limit_req zone=a burst=20; ssl_protocols TLSv1.2 TLSv1.3;`,
      SET,
    ),
    expect: {
      "PRX-003": ["pass"],
      "PRX-004": ["pass"],
      "PRX-005": ["pass"],
      "PRX-006": ["pass"],
      "PRX-007": ["pass"],
      "PRX-008": ["pass", /auth_basic/],
      "PRX-009": ["pass"],
      "PRX-010": ["pass"],
      "PRX-013": ["pass"],
    },
  },
  {
    name: "nginx with a location whose one header drops the four above it",
    config: nginx("", ALWAYS, "add_header X-Own 1;"),
    expect: { "PRX-013": ["fail", /drops Strict-Transport-Security/], "PRX-003": ["fail"] },
  },
];
