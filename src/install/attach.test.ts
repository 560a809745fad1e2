import assert from "node:assert/strict";
import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { type TestContext, test } from "node:test";
import { run } from "../../test/support/checkout.ts";
import { temporaryDirectory } from "../../test/support/temporary-directory.ts";
import { refuseOperators } from "./attach.ts";

function machine(context: TestContext): string {
  const root = temporaryDirectory(context);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put("/usr/sbin/sshd", "");
  put("/opt/tool", "");
  linkSync(join(root, "/usr/sbin/sshd"), join(root, "/opt/remote"));
  const starts = (name: string, line: string): void =>
    put(`/usr/lib/systemd/system/${name}`, `[Service]\nExecStart=${line}\n`);
  starts("ssh.service", "/usr/sbin/sshd -D $SSHD_OPTS");
  starts("helper.service", "-/opt/remote -D");
  starts("seawalld.service", "/usr/lib/seawall/node /usr/lib/seawall/dist/cli/main.js daemon");
  starts("systemd-networkd.service", "!!/opt/tool");
  starts("openclaw.service", "/opt/tool gateway");
  mkdirSync(join(root, "/etc/systemd/system"), { recursive: true });
  symlinkSync("../../../usr/lib/systemd/system/ssh.service", join(root, "/etc/systemd/system/sshd.service"));
  return root;
}

for (const [unit, refused] of [
  ["ssh", /lets you in/],
  ["sshd.service", /lets you in/],
  ["helper", /lets you in/],
  ["seawalld", /is Seawall's own/],
  ["systemd-networkd", /is systemd's own/],
  ["openclaw", null],
  ["openclaw.service", null],
] as const) {
  test(`attach ${unit} is ${refused === null ? "not refused" : "refused by what it starts"}`, (context) => {
    const root = machine(context);
    if (refused === null) assert.doesNotThrow(() => refuseOperators(root, unit));
    else assert.throws(() => refuseOperators(root, unit), refused);
  });
}

for (const [scopes, said] of [
  ["scopes: {agent: {user: 4242}}", /scope `agent` is by user, not by unit: there is nothing to attach/],
  ["scopes: {agent: {unit: other}}", /scope `agent` is the unit other/],
  ["scopes: {helper: {unit: no-such-unit-here}}", /has no scope `agent`|is by user/],
] as const) {
  test(`attach with \`${scopes}\` is refused before anything is written`, async (context) => {
    const folder = temporaryDirectory(context);
    writeFileSync(join(folder, "policy.yaml"), `version: 1\nmode: observe\n${scopes}\noutbound: []\n`);
    const main = join(import.meta.dirname, "..", "cli", "main.ts");
    const { code, err } = await run(process.execPath, [main, "attach", "no-such-unit-here"], {
      env: { ...process.env, SEAWALL_CONFIG_DIR: folder },
      cwd: "/",
      input: "",
    });
    assert.equal(code, process.getuid?.() === 0 ? 2 : 5, err);
    if (code === 2) assert.match(err, said);
    assert.ok(!existsSync("/etc/systemd/system/no-such-unit-here.service.d"));
  });
}
