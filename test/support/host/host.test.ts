// What the other tests in namespaces rely on, shown without any code of Seawall: the server is real, its known
// holes are there, and nothing of it outlives the test.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { start } from "./command.ts";
import { eventually } from "./eventually.ts";
import { HOST4, HOST6, type Host, startHost } from "./host.ts";

const WORLD4 = "45.33.32.156";
const WORLD6 = "2600::1";

describe("a real host in namespaces", () => {
  let host: Host;
  before(async () => {
    const containers = [
      { name: "web", publish: [{ hostPort: 8080, port: 80 }] },
      { name: "local", publish: [{ hostPort: 8081, port: 80, hostAddress: "127.0.0.1" }] },
    ];
    host = await startHost({
      ufw: ["allow 22/tcp", "deny 8080/tcp"],
      docker: { containers, ipv6: true },
      sshd: { ports: [22] },
    });
    await host.listen(18789);
  });
  after(() => host.stop());

  for (const [family, from, to] of [
    ["IPv4", WORLD4, HOST4],
    ["IPv6", WORLD6, HOST6],
  ] as const) {
    it(`ufw drops a port it did not allow, over ${family}`, async () => {
      assert.equal(await host.upstream.connect({ from, to, port: 18789 }), "timeout");
    });
    it(`ufw lets the port through that it allows, over ${family}`, async () => {
      assert.equal(await host.upstream.connect({ from, to, port: 22 }), "connected");
    });
    it(`Docker's published port bypasses ufw's deny, over ${family}`, async () => {
      // The container's own IPv6 address takes about two seconds to become usable.
      const attempt = () => host.upstream.connect({ from, to, port: 8080 });
      assert.equal(await eventually(attempt, "connected"), "connected");
    });
  }

  it("a service that listens is reached from the host itself", async () => {
    const result = await host.run(["nc", "-z", "-w", "2", "127.0.0.1", "18789"]);
    assert.equal(result.code, 0, result.stderr);
  });

  it("a closed port refuses once ufw is told to reject, so refused and dropped are told apart", async () => {
    await host.ufw.run("reject", "2525/tcp");
    assert.equal(await host.upstream.connect({ from: WORLD4, to: HOST4, port: 2525 }), "refused");
  });

  it("ufw reload opens a port that it denies, for a moment", async () => {
    const hammer = await host.upstream.hammer([{ from: WORLD4, to: HOST4, port: 18789 }]);
    await host.ufw.reload();
    const counts = (await hammer.stop())[`${HOST4} 18789`];
    assert.ok((counts?.connected ?? 0) > 0, JSON.stringify(counts));
    assert.equal(await host.upstream.connect({ from: WORLD4, to: HOST4, port: 18789 }), "timeout");
  });

  it("sshd takes a login with a key and sees the address the client came from", async () => {
    const result = await host.ssh.run("id -un; echo $SSH_CONNECTION", { from: "198.51.100.7" });
    assert.match(result.stdout, /^root\n198\.51\.100\.7 \d+ 203\.0\.113\.10 22\n$/, result.stderr);
  });

  it("an operator who is not root may become root by sudo", async () => {
    const result = await host.ssh.run("sudo -n id -un", { user: "operator" });
    assert.equal(result.stdout, "root\n", result.stderr);
  });

  it("a second command over ControlMaster uses the first one's connection", async () => {
    const control = ["-o", "ControlPath=/run/ssh-client/control"];
    const master = host.upstream.start(host.ssh.argv("", { args: [...control, "-M", "-N"] }));
    const ports: string[] = [];
    try {
      const ready = await eventually(
        async () => (await host.ssh.run("true", { args: [...control, "-O", "check"] })).code,
        0,
      );
      assert.equal(ready, 0);
      for (let turn = 0; turn < 2; turn += 1) {
        const result = await host.ssh.run("echo $SSH_CONNECTION", { args: control });
        ports.push(result.stdout.split(" ")[1] ?? "");
      }
    } finally {
      master.kill("SIGKILL");
    }
    assert.match(ports[0] ?? "", /^\d+$/);
    assert.equal(ports[1], ports[0]);
  });

  it("dockerd restarts with its containers", async () => {
    await host.docker.restartDaemon();
    const attempt = () => host.upstream.connect({ from: WORLD4, to: HOST4, port: 8080 });
    assert.equal(await eventually(attempt, "connected"), "connected");
  });
});

describe("the host's end", () => {
  it("kill -9 of its owner leaves no process, mount, namespace or cgroup", async () => {
    const owner = start([process.execPath, fileURLToPath(new URL("./forever.ts", import.meta.url))]);
    const pid = await new Promise<number>((resolve, reject) => {
      let said = "";
      owner.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const match = /^up (\d+)$/m.exec(said);
        if (match) resolve(Number(match[1]));
      });
      owner.once("close", () => reject(new Error(said)));
    });
    const spaces = namespacesOf(pid);
    const count = membersOf(spaces).length;
    assert.ok(count > 8, `only ${count} processes in the host`);
    assert.ok(cgroupsOf(pid).length > 0, "the container has no cgroup");

    owner.kill("SIGKILL");

    assert.equal(await eventually(async () => membersOf(spaces).join(), ""), "");
    assert.equal(await eventually(async () => cgroupsOf(pid).join(), ""), "");
    assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), /\/run\/overlay|docker-data/);
  });
});

function namespacesOf(pid: number | string): readonly string[] {
  return ["net", "mnt", "pid"].map((kind) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/${kind}`);
    } catch {
      return "";
    }
  });
}

/** Processes that share a namespace with the host, or live in one below its process 1. */
function membersOf(spaces: readonly string[]): readonly string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => namespacesOf(pid).some((space) => space !== "" && spaces.includes(space)));
}

function cgroupsOf(pid: number): readonly string[] {
  const roots = ["/sys/fs/cgroup", ...readdirSync("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}`)];
  return roots.filter((root) => {
    try {
      return readdirSync(root).includes(`seawall-fixture-${pid}`);
    } catch {
      return false;
    }
  });
}
