/** The real `seawall gate` process, by its contract: proxy, DNS, ids, exit codes. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { RCODE, TYPE } from "../../src/core/dns/message.ts";
import { askTcp, askUdp, query, udpClient } from "./dns-client.ts";
import { type NameServer, startNameServer, zone } from "./name-server.ts";
import { freshAddress, listen } from "./place.ts";
import { connectTo } from "./wire.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const NAME = "api.example.com";
const place = { address: freshAddress(), port: 18_901 };
const dns = { address: place.address, port: 18_953 };

let folder: string;
let resolver: NameServer;
let origin: Server;
let gate: ChildProcess;
let said = "";
const lines: string[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "seawall-gate-"));
  const address = freshAddress();
  origin = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
  await listen(origin, address, 80);
  resolver = await startNameServer(zone({ [NAME]: [address], "rebound.example.com": [address] }));
  const policy = join(folder, "policy.yaml");
  writeFileSync(
    policy,
    [
      "version: 1",
      "mode: enforce",
      "scopes: {agent: {user: 4242}}",
      "outbound:",
      `  - {allow: ${NAME}, port: 80, private: true, why: needed for work}`,
      "  - {allow: rebound.example.com, port: 80, why: needed for work}",
      "",
    ].join("\n"),
  );
  const places = ["--proxy", text(place), "--dns", text(dns), "--upstream", text(resolver)];
  gate = spawn(process.execPath, [MAIN, "gate", "--policy", policy, ...places, "--json"], { stdio: "pipe" });
  gate.stdout
    ?.setEncoding("utf8")
    .on("data", (chunk: string) => lines.push(...chunk.split("\n").filter(Boolean)));
  await new Promise<void>((resolve, reject) => {
    gate.once("close", () => reject(new Error(said)));
    gate.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.includes("ready")) resolve();
    });
  });
});

after(async () => {
  gate.kill("SIGKILL");
  await resolver.close();
  origin.closeAllConnections();
  await new Promise((resolve) => origin.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function text({ address, port }: { address: string; port: number }): string {
  return `${address}:${port}`;
}

describe("seawall gate", () => {
  test("says where it listens and for whom", () => {
    assert.match(
      said,
      new RegExp(`^seawall-gate: ready: scope agent, proxy on ${text(place)}, DNS on ${text(dns)}\n`),
    );
  });

  test("forwards a listed name and refuses another with the id it prints", async () => {
    const listed = await connectTo(place);
    listed.send(`GET http://${NAME}/a HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
    assert.ok((await listed.ended()).text.endsWith(`${NAME} /a`));
    const other = await connectTo(place);
    other.send("GET http://evil.org/ HTTP/1.1\r\nHost: evil.org\r\n\r\n");
    const body = /"id":"(sw-[a-z2-9]{20})"/.exec((await other.ended()).text);
    const printed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const refusal = printed.find(({ verdict }) => verdict === "refuse");
    assert.equal(refusal?.["id"], body?.[1]);
    assert.deepEqual(
      [refusal?.["door"], refusal?.["host"], refusal?.["reason"]],
      ["proxy", "evil.org", "default"],
    );
    for (const wire of [listed, other]) wire.socket.destroy();
  });

  test("rebinding: a listed name with a private address is refused by proxy and DNS alike", async () => {
    const wire = await connectTo(place);
    wire.send("GET http://rebound.example.com/ HTTP/1.1\r\nHost: rebound.example.com\r\n\r\n");
    assert.match((await wire.ended()).text, /^HTTP\/1\.1 403 [^]*private-address/);
    wire.socket.destroy();
    const { answer, why } = await askUdp(dns, "rebound.example.com");
    assert.equal(answer.rcode, RCODE.nxdomain);
    assert.match(why, /private-address/);
  });

  test("answers DNS over UDP and TCP, and asks nobody for what is not listed", async () => {
    const asked = resolver.heard.length;
    for (const ask of [askUdp, askTcp]) {
      assert.equal((await ask(dns, NAME)).addresses.length, 1);
      assert.equal((await ask(dns, "c2VjcmV0.evil.org")).answer.rcode, RCODE.nxdomain);
    }
    assert.ok(resolver.heard.slice(asked).every((one) => one.query.question.text === NAME));
  });

  test("a place that is taken is an error that names it, and the exit code is 2", async () => {
    const policy = join(folder, "policy.yaml");
    const second = spawn(process.execPath, [
      MAIN,
      "gate",
      "--policy",
      policy,
      "--proxy",
      text(place),
      "--upstream",
      text(resolver),
    ]);
    let err = "";
    second.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      err += chunk;
    });
    const code = await new Promise((resolve) => second.once("close", resolve));
    assert.equal(code, 2);
    assert.match(err, new RegExp(`cannot listen on ${text(place)}: EADDRINUSE`));
  });

  test("ends by itself on SIGTERM, also with a query on its way", async () => {
    resolver.react = () => "silent";
    const client = udpClient(dns);
    client.send(query(NAME, { type: TYPE.AAAA }));
    const asked = resolver.heard.length;
    while (resolver.heard.length === asked) await new Promise((resolve) => setTimeout(resolve, 5));
    const ended = new Promise((resolve) => gate.once("close", resolve));
    gate.kill("SIGTERM");
    assert.equal(await ended, 0);
    client.close();
  });
});
