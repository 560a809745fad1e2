/** The real Caddy and nginx before a gateway: their answers and what they would load. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { start } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { ENVIRONMENT, type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { audited, said, shellIn } from "./audit-on.ts";

const UPSTREAM = fileURLToPath(new URL("upstream-server.ts", import.meta.url));
const NAME = "agent.example.org";
const STRIP =
  "header_up -Forwarded\nheader_up -X-Real-IP\nheader_up -X-Forwarded-User\nheader_up -Tailscale-User-Login\nheader_up -x-openclaw-scopes\n";
const HEADERS =
  'header Strict-Transport-Security "max-age=31536000; includeSubDomains"\nheader X-Content-Type-Options nosniff\nheader X-Frame-Options DENY\nheader -Server\n';
const HASH = "JDJhJDA0JDBDOVJEbFVMYzFMZ0xJWlNQZVRCUi5pdUxWSnhHVmVNZE5MWGVZVmpxRndiOGpHd2E1WFZT";

type Row = {
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

const CADDY: readonly Row[] = [
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

const NGINX: readonly Row[] = [
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

describe("the reverse proxy", () => {
  let host: Namespace;
  before(async () => {
    host = await startNamespace();
    start(host.inside([process.execPath, UPSTREAM]), { env: ENVIRONMENT, cwd: "/" });
    await shellIn(
      host,
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /run/key.pem -out /run/cert.pem -days 2 -subj /CN=${NAME} 2>/dev/null
mkdir -p /etc/caddy /run/caddy-home; printf 'ann:$1$a$abcdefghijklmnopqrstuv\\n' >/run/users`,
    );
  });
  after(() => host.stop());

  async function compare({ expect }: Row): Promise<void> {
    const audit = await audited(host, "--check", Object.keys(expect).join(","));
    for (const [id, [status, says]] of Object.entries(expect)) {
      assert.equal(audit[id]?.status, status, `${id}: ${said(audit, id)}`);
      if (says !== undefined) assert.match(said(audit, id), says, id);
    }
  }

  const listens = (port: number): Promise<boolean> =>
    eventually(async () => (await host.run(["nc", "-z", "127.0.0.1", String(port)])).code === 0, true);

  async function gone(): Promise<void> {
    assert.ok(
      await eventually(async () => (await host.run(["nc", "-z", "127.0.0.1", "443"])).code !== 0, true),
    );
  }

  for (const row of CADDY) {
    test(row.name, async () => {
      await shellIn(host, "cat >/etc/caddy/Caddyfile", row.config);
      const caddy = start(host.inside(["caddy", "run", "--config", "/etc/caddy/Caddyfile"]), {
        env: {
          ...ENVIRONMENT,
          XDG_DATA_HOME: "/run/caddy-home",
          XDG_CONFIG_HOME: "/run/caddy-home",
          HOME: "/run/caddy-home",
        },
        cwd: "/",
      });
      try {
        assert.ok(await listens(443), "caddy does not listen");
        await compare(row);
      } finally {
        caddy.kill("SIGKILL");
        await gone();
      }
    });
  }

  for (const row of NGINX) {
    test(row.name, async () => {
      await shellIn(host, "cat >/etc/nginx/nginx.conf; nginx", row.config);
      try {
        assert.ok(await listens(443), "nginx does not listen");
        await compare(row);
      } finally {
        await shellIn(host, "nginx -s stop");
        await gone();
      }
    });
  }

  test("a file of nginx that was changed and not loaded, and one that cannot be", async () => {
    const [row] = NGINX;
    await shellIn(host, "cat >/etc/nginx/nginx.conf; nginx", row?.config ?? "");
    try {
      assert.ok(await listens(443));
      await shellIn(host, "touch -d '+1 hour' /etc/nginx/nginx.conf");
      const changed = await audited(host, "--check", "PRX-012");
      assert.equal(changed["PRX-012"]?.status, "fail", said(changed, "PRX-012"));
      await shellIn(host, "echo 'nonsense on;' >>/etc/nginx/nginx.conf");
      const broken = await audited(host, "--check", "PRX-012");
      assert.match(said(broken, "PRX-012"), /nonsense/);
    } finally {
      await shellIn(host, "echo 'events {} pid /run/nginx.pid;' >/etc/nginx/nginx.conf; nginx -s stop");
      await gone();
    }
  });

  test("attack: a configuration that somebody else may write is not given to the program", async () => {
    const [row] = NGINX;
    await shellIn(
      host,
      "cat >/etc/nginx/nginx.conf; nginx; mkdir -p /run/site; chown 4900 /run/site",
      row?.config ?? "",
    );
    try {
      assert.ok(await listens(443));
      await shellIn(
        host,
        "sed -i 's|^http {|http { include /run/site/*.conf;|' /etc/nginx/nginx.conf; : >/run/site/a.conf",
      );
      const included = await audited(host, "--check", "PRX-012");
      assert.equal(included["PRX-012"]?.status, "unknown", said(included, "PRX-012"));
      assert.match(said(included, "PRX-012"), /nginx is not asked: .*\/run\/site/);
      await shellIn(
        host,
        "sed -i 's|include /run/site/[*].conf;||' /etc/nginx/nginx.conf; chmod 666 /etc/nginx/nginx.conf",
      );
      const open = await audited(host, "--check", "PRX-012");
      assert.match(said(open, "PRX-012"), /others may write \/etc\/nginx\/nginx\.conf/);
    } finally {
      await shellIn(host, "chmod 644 /etc/nginx/nginx.conf; nginx -s stop");
      await gone();
    }
  });

  test("no proxy at all", async () => {
    const audit = await audited(host, "--layer", "proxy");
    assert.deepEqual([...new Set(Object.values(audit).map(({ status }) => status))], ["not-applicable"]);
  });
});
