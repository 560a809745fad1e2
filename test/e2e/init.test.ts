/**
 * The real OpenClaw: it takes the proxy that `init --proxy` sets, gives it back, and names no provider or channel
 * that the model does not know.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CATALOGUE_PRESETS,
  channelKind,
  KEY_VARIABLES,
  LOCAL_PROVIDERS,
  providerPreset,
} from "../../src/core/openclaw/catalogue.ts";
import { PRESET_NAMES } from "../../src/core/policy/preset/preset.ts";
import { installOpenClaw } from "../../src/lab/openclaw/install.ts";
import { type Host, startHost } from "../support/host/host.ts";
import { SEAWALL } from "../support/host/seawall.ts";

const CHECKOUT = join(import.meta.dirname, "../..");
const OPENCLAW = join(await installOpenClaw({ say: console.error }), "openclaw");
/** OpenClaw takes seconds to start, several times in a run. */
const DEADLINE_MS = 180_000;

/** Providers that make pictures, films or test hosts, run on the machine itself, or are named by their own host. */
const NOT_BY_PRESET = new Set([
  "apple-fm",
  "copilot-proxy",
  "microsoft-foundry",
  "azure",
  "azure-speech",
  "runway",
]);
/** Channels that were read and have no host of their own, or none that is documented. */
const CHANNELS_TO_LOOK_AT = new Set([
  "a2a",
  "buzz",
  "clickclack",
  "openclaw-weixin",
  "openclaw-zaloclawbot",
  "qqbot",
  "raft",
  "reef",
  "wecom",
  "yuanbao",
  "zalo",
  "zalouser",
]);

interface Manifest {
  readonly id: string;
  readonly providers?: readonly string[];
  readonly channels?: readonly string[];
  readonly setup?: {
    readonly providers?: readonly { readonly id: string; readonly envVars?: readonly string[] }[];
  };
}

function manifests(): Manifest[] {
  const folder = join(OPENCLAW, "dist/extensions");
  return readdirSync(folder)
    .map((name) => join(folder, name, "openclaw.plugin.json"))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, "utf8")) as Manifest);
}

describe("the real OpenClaw", () => {
  test("bundles no provider that the model does not know", () => {
    const unknown = manifests()
      .flatMap(({ providers = [] }) => providers)
      .filter(
        (id) => !PRESET_NAMES.has(providerPreset(id)) && !LOCAL_PROVIDERS.has(id) && !NOT_BY_PRESET.has(id),
      );
    assert.deepEqual(unknown, []);
  });

  test("reads no key of a bundled model provider that the model does not know", () => {
    const keys = manifests()
      .flatMap(({ setup }) => setup?.providers ?? [])
      .filter(({ id }) => CATALOGUE_PRESETS.has(providerPreset(id)))
      .flatMap(({ envVars = [] }) => envVars);
    assert.ok(keys.length > 10, "the manifests say which keys they read");
    assert.deepEqual(
      keys.filter((key) => !KEY_VARIABLES.has(key)),
      [],
    );
  });

  test("has no channel that the model neither knows nor leaves to a person", () => {
    const catalogue = JSON.parse(readFileSync(join(OPENCLAW, "dist/channel-catalog.json"), "utf8")) as {
      readonly entries: readonly { readonly openclaw: { readonly channel: { readonly id: string } } }[];
    };
    const ids = [
      ...catalogue.entries.map(({ openclaw }) => openclaw.channel.id),
      ...manifests().flatMap(({ channels = [] }) => channels),
    ];
    assert.ok(ids.length > 20);
    assert.deepEqual(
      ids.filter((id) => channelKind(id) === undefined && !CHANNELS_TO_LOOK_AT.has(id)),
      [],
    );
  });

  describe("on a machine", () => {
    let host: Host;
    const state = "/run/home/claw/.openclaw";
    const seawall = async (...args: readonly string[]) =>
      host.run([...SEAWALL, "init", ...args], {
        env: { SEAWALL_OPENCLAW_HOME: "/run/home/claw" },
        deadlineMs: DEADLINE_MS,
      });
    const proxyUrl = async (): Promise<unknown> => {
      const text = await host.shell(`cat ${state}/openclaw.json`);
      return (JSON.parse(text) as { readonly proxy?: { readonly proxyUrl?: string } }).proxy?.proxyUrl;
    };

    before(async () => {
      host = await startHost();
      // OpenClaw keeps locks and logs in /tmp, whatever TMPDIR says. A checkout below /tmp stays in sight.
      await host.shell(
        `mkdir /run/checkout; mount --bind '${CHECKOUT}' /run/checkout; mount -t tmpfs -o mode=1777 tmpfs /tmp
         mkdir -p '${CHECKOUT}'; mount --bind /run/checkout '${CHECKOUT}'`,
      );
      await host.shell(
        `echo 'claw:x:991:991::/run/home/claw:/usr/sbin/nologin' >>/etc/passwd; chmod 711 /run/home
         install -d -o 991 -g 991 -m 700 /run/home/claw ${state} /run/home/claw/.local /run/home/claw/.local/bin
         printf '#!/bin/sh\\nexec "${process.execPath}" "${OPENCLAW}/openclaw.mjs" "$@"\\n' >/run/home/claw/.local/bin/openclaw
         chmod 755 /run/home/claw/.local/bin/openclaw
         echo '{"gateway": {"mode": "local"}}' >${state}/openclaw.json; chown 991:991 ${state}/openclaw.json; chmod 600 ${state}/openclaw.json`,
      );
      await host.listen(18_901, "127.0.0.1");
    });
    after(async () => host.stop());

    test("agrees to our proxy in a dry run, which changes nothing", async () => {
      const done = await seawall("--proxy", "--dry-run", "--json");
      const { proxy } = JSON.parse(done.stdout) as {
        readonly proxy: readonly { readonly result: string; readonly why: string | null }[];
      };
      assert.deepEqual(
        proxy.map(({ result, why }) => [result, why]),
        [["would-set", null]],
      );
      assert.equal(await proxyUrl(), undefined);
    });

    test("takes our proxy, and gives it back", async () => {
      const set = await seawall("--proxy");
      assert.equal(set.code, 0, set.stdout + set.stderr);
      assert.equal(await proxyUrl(), "http://127.0.0.1:18901");
      const undone = await seawall("--undo");
      assert.equal(undone.code, 0, undone.stdout + undone.stderr);
      assert.equal(await proxyUrl(), undefined);
    });
  });
});
