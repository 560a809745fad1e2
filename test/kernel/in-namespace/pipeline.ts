import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../../../src/cli/command/flows.ts";
import { formatLogPrefix, NFLOG_GROUP } from "../../../src/core/event/log-prefix.ts";
import { startPipeline } from "../../../src/daemon/pipeline.ts";
import { linkUp, loadRules } from "./nft.ts";
import { testKey } from "../../support/refusal-key.ts";

const COUNT = 5_000;
const prefix = formatLogPrefix({
  direction: "outbound",
  verdict: "refuse",
  observed: true,
  generation: 3,
  place: "agent",
  reason: "default",
  rule: null,
});
linkUp("lo");
loadRules(`table inet seawall {
  chain out { type filter hook output priority 0
    udp dport 9 log prefix "${prefix}" group ${NFLOG_GROUP}
  }
}`);
const stateDir = mkdtempSync(join(tmpdir(), "seawall-pipeline-"));
process.on("exit", () => rmSync(stateDir, { recursive: true, force: true }));

let told = 0;
const options = {
  group: NFLOG_GROUP,
  stateDir,
  now: Date.now,
  refusalKeyOf: testKey,
  onEvent: () => void (told += 1),
};
const pipeline = startPipeline(options);
let second = "no error";
try {
  startPipeline(options);
} catch (error) {
  second = String(error);
}
const four = createSocket("udp4");
const six = createSocket("udp6");
for (let sent = 0; sent < COUNT; sent += 1) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const [socket, host] = sent % 2 === 0 ? [four, "127.0.0.1"] : [six, "::1"];
  socket.send("x", 9, host, (error) => (error === null ? resolve() : reject(error)));
  await promise;
}
for (let tries = 0; tries < 250 && pipeline.stats().read < COUNT; tries += 1) await sleep(20);
await pipeline.stop();
four.close();
six.close();
const stats = pipeline.stats();
const restarted = startPipeline(options);
await restarted.stop();

const json = await flows({ json: true, limit: "10000" });
const lines = json.out
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as unknown);
const table = await flows({ limit: "2" });
const none = await flows({ verdict: "accept" });
console.log(JSON.stringify({ stats, told, second, count: lines.length, first: lines[0], table, none }));

async function flows(
  flags: Record<string, string | boolean>,
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const code = await command.run({
    positionals: [],
    flags,
    out: (part) => void (text.out += part),
    err: (part) => void (text.err += part),
    env: { SEAWALL_STATE_DIR: stateDir },
    cwd: "/",
    nowMs: Date.now,
    signal: new AbortController().signal,
    color: false,
  });
  return { code, ...text };
}
