/** The real dockerd with a container as it should be: what Docker was told, and what the process really is. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { type Host, startHost } from "../../support/host/host.ts";
import { type Audited, audited, said } from "./audit-on.ts";

const HARD = {
  User: "1000:1000",
  HostConfig: {
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges:true"],
    ReadonlyRootfs: true,
    PidsLimit: 64,
    Memory: 64 * 1024 * 1024,
    NanoCpus: 500_000_000,
    NetworkMode: "openclaw-net",
    PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "18789" }] },
    LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
  },
};

const SOFT = {
  Env: [`ANTHROPIC_API_KEY=${["sk", "ant", "api03", "aB3".repeat(12)].join("-")}`],
  HostConfig: {
    CapAdd: ["NET_ADMIN"],
    SecurityOpt: ["seccomp:unconfined"],
    NetworkMode: "host",
    Binds: ["/run/docker.sock:/run/docker.sock", "/etc:/host"],
  },
};

describe("a container of OpenClaw", () => {
  let host: Host;
  before(async () => {
    host = await startHost({ docker: { containers: [] } });
    await call("POST", "/networks/create", { Name: "openclaw-net" });
  });
  after(() => host.stop());

  function call(method: string, path: string, body?: object): Promise<number> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: `/proc/${host.pid}/root/run/docker.sock`,
          method,
          path,
          headers: { host: "docker", "content-type": "application/json" },
        },
        (response) => {
          response.resume();
          response.once("end", () => resolve(response.statusCode ?? 0));
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async function withContainer(options: object, check: () => Promise<void>): Promise<void> {
    const body = {
      Image: "tiny",
      StopSignal: "SIGKILL",
      Cmd: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"],
      ExposedPorts: { "8080/tcp": {} },
      ...options,
    };
    assert.equal(await call("POST", "/containers/create?name=openclaw-gateway", body), 201);
    try {
      assert.equal(await call("POST", "/containers/openclaw-gateway/start"), 204);
      await check();
    } finally {
      await call("DELETE", "/containers/openclaw-gateway?force=1");
    }
  }

  const look = (): Promise<Audited> => audited(host, "--layer", "docker");

  test("as it should be", () =>
    withContainer(HARD, async () => {
      const audit = await look();
      for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 19]) {
        const id = `DKR-${String(number).padStart(3, "0")}`;
        assert.equal(audit[id]?.status, "pass", `${id}: ${said(audit, id)}`);
      }
      assert.match(said(audit, "DKR-001"), /uid 1000/);
    }));

  test("as it should never be", () =>
    withContainer(SOFT, async () => {
      const audit = await look();
      for (const id of [
        "DKR-001",
        "DKR-002",
        "DKR-003",
        "DKR-005",
        "DKR-006",
        "DKR-008",
        "DKR-009",
        "DKR-010",
        "DKR-011",
        "DKR-019",
      ])
        assert.equal(audit[id]?.status, "fail", `${id}: ${said(audit, id)}`);
      assert.match(said(audit, "DKR-019"), /ANTHROPIC_API_KEY holds a secret/);
      assert.doesNotMatch(JSON.stringify(audit), /aB3aB3/);
    }));

  test("a user in its settings, and a process that is root all the same", () =>
    withContainer({ ...HARD, User: "0:0" }, async () => {
      const audit = await look();
      assert.equal(audit["DKR-001"]?.status, "fail");
      assert.equal(audit["DKR-002"]?.status, "pass");
    }));

  test("a socket that everybody may write", async () => {
    await host.shell("chmod 666 /run/docker.sock");
    assert.equal((await look())["DKR-015"]?.status, "fail");
    await host.shell("chmod 660 /run/docker.sock");
  });
});
