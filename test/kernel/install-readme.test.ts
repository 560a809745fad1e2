// A stranger who has a fresh Debian 12 and README.md, and does what it says, word for word.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/host/eventually.ts";
import { debianTree } from "../support/machine/debian.ts";
import { type Machine, startMachine } from "../support/machine/machine.ts";

const ROOT = join(import.meta.dirname, "../..");
const BUILD_DEADLINE_MS = 5 * 60_000;
const SERVER = "203.0.113.10";

/** The indented lines of README's section, in order; comments are for people. */
function commandsOf(section: string): readonly string[] {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, part = ""] = text.split(`\n## ${section}\n`);
  return part
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .map((line) => line.replace(/\s+# .*/, "").trim());
}

/** A server with sshd, and somebody's own computer, which has nothing but the network and a key. */
const WORLD = `
mkdir -p -m 755 /run/sshd /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /run/key
cp /run/key.pub /root/.ssh/authorized_keys
ip link add eth0 type veth peer name eth1
setsid unshare --net sleep 1000 >/dev/null 2>&1 &
echo $! >/run/computer
sleep 0.2
ip link set eth1 netns $(cat /run/computer)
ip addr add ${SERVER}/24 dev eth0
ip link set eth0 up
nsenter --net=/proc/$(cat /run/computer)/ns/net sh -euc '
  ip link set lo up; ip addr add 203.0.113.99/24 dev eth1; ip link set eth1 up'
/usr/sbin/sshd
`;

describe("README's section Install", () => {
  const commands = commandsOf("Install");
  let folder: string;
  let machine: Machine;
  const command = (begin: string): string => {
    const found = commands.find((one) => one.startsWith(begin));
    assert.ok(found !== undefined, `README says \`${begin} ...\`: ${commands.join("; ")}`);
    return found;
  };
  /** On their own computer: the options that stand for a known host and a key in its usual place. */
  const fromComputer = (words: string) => {
    const known = `-i /run/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
    const line = words.replace(/^ssh /, `ssh ${known} `).replace("you@server", `root@${SERVER}`);
    return machine.run(["nsenter", `--net=/proc/${computer}/ns/net`, "sh", "-c", line]);
  };
  let computer = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
    machine = await startMachine({ lower: await debianTree() });
    await machine.shell(WORLD);
    computer = (await machine.shell("cat /run/computer")).trim();
    const isUp = async () => (await fromComputer("ssh you@server true")).code;
    assert.equal(await eventually(isUp, 0), 0, (await fromComputer("ssh you@server true")).stderr);
  });
  after(async () => {
    await machine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("`npm run deb` makes the file", () => {
    const words = command("npm run deb").split(" ").slice(1);
    const made = spawnSync("npm", [...words, "--", folder], { cwd: ROOT, timeout: BUILD_DEADLINE_MS });
    assert.equal(made.status, 0, String(made.stderr));
    const [deb = ""] = globSync(join(folder, "seawall_*.deb"));
    copyFileSync(deb, join(machine.root, "root", basename(deb)));
  });

  it("apt installs it without anything from the network", async () => {
    await machine.shell(`cd /root; ${command("sudo apt install").replace("apt install", "apt install -y")}`, {
      deadlineMs: BUILD_DEADLINE_MS,
    });
    assert.match(await machine.shell("seawall --version"), /^from +\/usr\/lib\/seawall \(installed\)$/m);
  });

  it("init writes a policy, apply loads it, and a confirm from a new connection keeps it", async () => {
    await machine.shell(command("sudo seawall init"));
    await machine.shell(command("sudo seawall apply"));
    assert.match(await machine.shell("seawall status"), /^ON TRIAL/m);
    const kept = await fromComputer(command("ssh -t -o ControlPath=none"));
    assert.equal(kept.code, 0, kept.stderr);
    assert.doesNotMatch(await machine.shell("seawall status"), /^ON TRIAL/m);
    assert.equal((await fromComputer("ssh you@server true")).code, 0);
  });

  it("the next boot loads the same rules", async () => {
    await machine.shell("nft delete table inet seawall; /usr/lib/seawall/boot.sh");
    assert.match(await machine.shell("nft list tables"), /inet seawall/);
  });

  it("each way back of the card works with Node gone", async () => {
    await machine.shell("mv /usr/lib/seawall/node /run/node");
    await machine.shell(command("sudo seawall rescue"));
    assert.match(await machine.shell("nft list chain inet seawall rescue"), /18789/);
    await machine.shell(command("nft -f"));
    assert.equal((await fromComputer("ssh you@server true")).code, 0);
    await machine.shell("mv /run/node /usr/lib/seawall/node");
    assert.ok(commands.includes("seawall=off"));
  });
});
