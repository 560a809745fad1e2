// What is printed as the cure of NOT CONTAINED is typed on a host with real users: the agent moves, nobody loses a right.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { test } from "node:test";
import { run } from "../support/host/command.ts";

const SCRIPT = fileURLToPath(new URL("in-namespace/containment-cure.ts", import.meta.url));

/** A host of its own: users, homes and the tools of systemd, which only write down what they are told. */
const HOST = `
mount --make-rprivate /
mkdir -p /run/seawall-users; mount -t tmpfs tmpfs /run/seawall-users; cd /run/seawall-users
cp -a /etc etc; mount --bind etc /etc; mount -t tmpfs tmpfs /home
mkdir bin mail; mount --bind mail /var/mail 2>/dev/null || true
for tool in systemctl loginctl; do printf '#!/bin/sh\\necho "%s $*" >>/run/seawall-users/told\\n' $tool >bin/$tool; done
chmod 755 bin/*; PATH=/run/seawall-users/bin:$PATH
rm -f /etc/sudoers.d/*; printf 'root ALL=(ALL:ALL) ALL\\n%%sudo ALL=(ALL:ALL) ALL\\n' >/etc/sudoers; chmod 440 /etc/sudoers
getent group sudo >/dev/null || groupadd --system sudo
awk -F: 'BEGIN { OFS = ":" } { $2 = "*"; print }' /etc/shadow >shadow; cat shadow >/etc/shadow
userdel -f openclaw 2>/dev/null || true
useradd --create-home --shell /bin/bash --password '$6$x$y' you; gpasswd -a you sudo >/dev/null
mkdir -p /home/you/.openclaw /home/you/.config/systemd/user
echo '{}' >/home/you/.openclaw/openclaw.json
echo '[Service]' >/home/you/.config/systemd/user/openclaw-gateway.service
chown -R you: /home/you
look() { "$NODE" "$SCRIPT" "$(id -u "$1")"; }
`;

async function onHost(script: string) {
  const done = await run(["unshare", "--mount", "sh", "-euc", `${HOST}${script}`], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", NODE: process.execPath, SCRIPT, HOME: "/root" },
    cwd: "/",
    deadlineMs: 120_000,
  });
  assert.equal(done.code, 0, done.stderr);
  return done.stdout.trim().split("\n");
}

interface Seen {
  readonly grade: string;
  readonly reasons: readonly { readonly id: string; readonly cure: string }[];
  readonly steps: readonly string[];
  readonly otherAdmins: { readonly value: readonly string[] };
}

test("the only administrator keeps sudo; the agent moves by the steps that are printed", async () => {
  const [first = ""] = await onHost("look you");
  const before = JSON.parse(first) as Seen;
  assert.equal(before.grade, "not-contained");
  assert.deepEqual(before.otherAdmins.value, []);
  for (const { id, cure } of before.reasons.filter((one) => one.id === "sudo" || one.id === "group")) {
    assert.doesNotMatch(cure, /gpasswd|visudo|harden/, id);
    for (const step of before.steps) assert.ok(cure.includes(step), `${id}: ${step}`);
  }
  const steps = before.steps.join("\n");
  assert.match(steps, /^useradd .* openclaw$/m);
  const lines = await onHost(`${steps}
look openclaw
stat -c '%U %n' /home/openclaw/.openclaw/openclaw.json /home/openclaw/.config/systemd/user/openclaw-gateway.service
test ! -e /home/you/.openclaw && echo moved
id -nG you | grep -qw sudo && echo still-sudo
cat told`);
  const after = JSON.parse(lines[0] ?? "") as Seen;
  assert.ok(!after.reasons.some(({ id }) => id === "sudo" || id === "group" || id === "person"), lines[0]);
  assert.notEqual(after.grade, "not-contained");
  assert.deepEqual(lines.slice(1), [
    "openclaw /home/openclaw/.openclaw/openclaw.json",
    "openclaw /home/openclaw/.config/systemd/user/openclaw-gateway.service",
    "moved",
    "still-sudo",
    "systemctl --user -M you@ disable --now openclaw-gateway.service",
    "loginctl enable-linger openclaw",
    "systemctl --user -M openclaw@ enable --now openclaw-gateway.service",
  ]);
});

test("where another administrator has a way in, sudo may be taken from the agent's user", async () => {
  const [line = ""] = await onHost(
    "useradd --create-home --shell /bin/bash --password '$6$x$y' maria; gpasswd -a maria sudo >/dev/null; look you",
  );
  const { otherAdmins, reasons } = JSON.parse(line) as Seen;
  assert.deepEqual(otherAdmins.value, ["maria"]);
  assert.match(reasons.find(({ id }) => id === "sudo")?.cure ?? "", /visudo/);
});

for (const [what, change] of [
  ["is locked", "useradd --create-home --shell /bin/bash maria; gpasswd -a maria sudo >/dev/null"],
  [
    "has no shell",
    "useradd --shell /usr/sbin/nologin --password '$6$x$y' maria; gpasswd -a maria sudo >/dev/null",
  ],
  [
    "has a key and no password for sudo",
    "useradd --create-home --shell /bin/bash maria; gpasswd -a maria sudo >/dev/null; mkdir /home/maria/.ssh; echo 'ssh-ed25519 AAAA' >/home/maria/.ssh/authorized_keys",
  ],
] as const) {
  test(`an account that ${what} administers nothing`, async () => {
    const [line = ""] = await onHost(`${change}; look you`);
    assert.deepEqual((JSON.parse(line) as Seen).otherAdmins.value, []);
  });
}
