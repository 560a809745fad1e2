/** The audit of a host on which the real OpenClaw lives, alone and behind the real Caddy and nginx. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { audited, said } from "../audit/host/audit-on.ts";
import { CADDY, NAME, NGINX, type Row } from "../audit/host/proxy-row.ts";
import { eventually } from "../support/host/eventually.ts";
import { type Scene, startScene } from "./scene.ts";

/** The first two of each: as most guides write it, and hardened. What differs is what the real gateway answers. */
const SHOWN = 2;
/** It answers 403 to everybody behind a proxy that `gateway.trustedProxies` does not name: that is no login. */
const REFUSED: Row["expect"] = {
  "PRX-006": ["fail", /answered by 403/],
  "PRX-008": ["fail", /answered by 403/],
};
const CADDY_HOME = { HOME: "/run/caddy", XDG_DATA_HOME: "/run/caddy", XDG_CONFIG_HOME: "/run/caddy" };

describe("the real OpenClaw is audited", () => {
  let scene: Scene;
  before(async () => {
    scene = await startScene();
    await scene.host.shell(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /run/key.pem -out /run/cert.pem -days 2 -subj /CN=${NAME} 2>/dev/null
mkdir -p /etc/caddy /run/caddy; printf 'ann:$1$a$abcdefghijklmnopqrstuv\\n' >/run/users`,
    );
  });
  after(() => scene.stop());

  const isOpen = async (): Promise<boolean> =>
    (await scene.host.run(["nc", "-z", "127.0.0.1", "443"])).code === 0;

  async function compare({ expect }: Row, differs: Row["expect"]): Promise<void> {
    const audit = await audited(scene.host, "--check", Object.keys({ ...expect, ...differs }).join(","));
    for (const [id, [status, says]] of Object.entries({ ...expect, ...differs })) {
      assert.equal(audit[id]?.status, status, `${id}: ${said(audit, id)}`);
      if (says !== undefined) assert.match(said(audit, id), says, id);
    }
  }

  test("it is found by its process, on loopback, under its own user, and its token is proven", async () => {
    const audit = await audited(scene.host, "--layer", "app", "--quick");
    for (const id of ["APP-001", "APP-002", "APP-008"])
      assert.equal(audit[id]?.status, "pass", `${id}: ${said(audit, id)}`);
    assert.match(said(audit, "APP-002"), /401 without a token, 200 with it/);
    assert.equal(audit["APP-006"]?.status, "fail", "it may run what it likes");
  });

  test("its own audit, secrets audit and doctor are asked as its user, by its wrapper", async () => {
    const bin = "/run/home/openclaw/.local/bin";
    await scene.host.shell(
      `install -d -o 18789 -g 18789 /run/home/openclaw/.local ${bin}; cat >${bin}/openclaw; chmod 755 ${bin}/openclaw`,
      {
        input:
          '#!/bin/sh\nexec /run/openclaw/bin/node /run/openclaw/node_modules/openclaw/openclaw.mjs "$@"\n',
      },
    );
    const audit = await audited(scene.host, "--layer", "app,secrets");
    assert.equal(audit["APP-014"]?.status, "pass", said(audit, "APP-014"));
    assert.match(said(audit, "APP-014"), /^0 critical, [1-9]/);
    assert.equal(audit["APP-023"]?.status, "pass", said(audit, "APP-023"));
  });

  for (const [at, row] of CADDY.slice(0, SHOWN).entries()) {
    test(row.name, async () => {
      await scene.host.shell("cat >/etc/caddy/Caddyfile", { input: row.config });
      const caddy = scene.host.start(["caddy", "run", "--config", "/etc/caddy/Caddyfile"], {
        env: CADDY_HOME,
      });
      try {
        assert.equal(await eventually(isOpen, true), true, "caddy does not listen");
        await compare(row, at === 0 ? REFUSED : {});
      } finally {
        caddy.kill("SIGKILL");
        assert.equal(await eventually(isOpen, false), false);
      }
    });
  }

  for (const [at, row] of NGINX.slice(0, SHOWN).entries()) {
    test(row.name, async () => {
      await scene.host.shell("cat >/etc/nginx/nginx.conf; nginx", { input: row.config });
      try {
        assert.equal(await eventually(isOpen, true), true, "nginx does not listen");
        await compare(row, at === 0 ? REFUSED : {});
      } finally {
        await scene.host.shell("nginx -s stop");
        assert.equal(await eventually(isOpen, false), false);
      }
    });
  }
});
