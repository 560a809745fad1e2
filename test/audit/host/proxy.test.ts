/** The real Caddy and nginx before a gateway: their answers and what they would load. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { start } from "../../support/host/command.ts";
import { eventually } from "../../support/host/eventually.ts";
import { ENVIRONMENT, type Namespace, startNamespace } from "../../support/host/namespace.ts";
import { audited, said, shellIn } from "./audit-on.ts";
import { CADDY, NAME, NGINX, type Row } from "./proxy-row.ts";

const UPSTREAM = fileURLToPath(new URL("upstream-server.ts", import.meta.url));
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
