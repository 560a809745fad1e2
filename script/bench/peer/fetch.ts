/** What a client sees through a proxy: time of a connection, new TLS requests a second, speed of a download. */
import { fileURLToPath } from "node:url";
import { run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { summarize } from "../sample.ts";
import { toolEnvironment, toolPath } from "../tool.ts";
import { DOWNLOAD_BYTES } from "./origin.ts";
import { processorUs } from "./processor-time.ts";
import { ORIGIN_NAME } from "./zone.ts";

export interface Fetched {
  /** Half of the connections took less: TCP, tunnel, a request and its whole answer. */
  readonly connectUs: number;
  /** Each over a connection and a full handshake of its own. */
  readonly requestsPerSecond: number;
  readonly downloadMbPerSecond: number;
  /** Processor time of the proxy alone; 0 without one. */
  readonly requestCpuUs: number;
  readonly downloadCpuMsPerGb: number;
}

export interface Through {
  readonly context: BenchContext;
  /** 0 is no proxy. */
  readonly proxyPort: number;
  readonly pid: number | null;
  readonly certificate: string;
}

export const CONNECTIONS = 400;
const REQUESTS = 500;
const REQUESTS_QUICK = 300;
const AT_ONCE = 8;
const BYTES_OF_A_MEGABYTE = 1e6;

/** Measures one proxy once. Throws when anything was not answered as the origin answers. */
export function fetchThrough(through: Through): Fetched {
  const used = (): number => (through.pid === null ? 0 : processorUs(through.pid));
  const connected = connectUs(through.proxyPort);
  const startUs = used();
  const requests = requestsPerSecond(through);
  const betweenUs = used();
  const download = downloadMbPerSecond(through);
  const endUs = used();
  return {
    connectUs: connected,
    requestsPerSecond: requests,
    downloadMbPerSecond: download,
    requestCpuUs: (betweenUs - startUs) / requestCount(through.context),
    downloadCpuMsPerGb: (endUs - betweenUs) / 1e3 / (DOWNLOAD_BYTES / 1e9),
  };
}

function requestCount({ quick }: BenchContext): number {
  return quick ? REQUESTS_QUICK : REQUESTS;
}

function connectUs(proxyPort: number): number {
  const script = fileURLToPath(new URL("../child/connect-times.ts", import.meta.url));
  const said = run([process.execPath, script, String(proxyPort), ORIGIN_NAME, "80", String(CONNECTIONS)]);
  return summarize(JSON.parse(said) as readonly number[]).median;
}

function requestsPerSecond(through: Through): number {
  const count = requestCount(through.context);
  const parallel = ["--parallel", "--parallel-immediate", "--parallel-max", String(AT_ONCE)];
  const shown = String.raw`%{http_code} %{num_connects} %{ssl_verify_result}\n`;
  const startMs = performance.now();
  const said = curl(through, [...parallel, "-w", shown, `https://${ORIGIN_NAME}/?[1-${count}]`]);
  const seconds = (performance.now() - startMs) / 1_000;
  const good = said.split("\n").filter((line) => line === "200 1 0").length;
  if (good !== count) throw new Error(`${good} of ${count} requests had an answer and a connection each`);
  return count / seconds;
}

/** From the first byte on, so that the handshake is not part of it. */
function downloadMbPerSecond(through: Through): number {
  const shown = "%{http_code} %{size_download} %{time_starttransfer} %{time_total}";
  const said = curl(through, ["-w", shown, `https://${ORIGIN_NAME}/large`]);
  const [code, bytes, fromSeconds = Number.NaN, toSeconds = Number.NaN] = said.split(" ").map(Number);
  if (code !== 200 || bytes !== DOWNLOAD_BYTES) throw new Error(`the download was cut: ${said}`);
  return bytes / (toSeconds - fromSeconds) / BYTES_OF_A_MEGABYTE;
}

function curl({ context, proxyPort, certificate }: Through, args: readonly string[]): string {
  const proxy = proxyPort === 0 ? ["--noproxy", "*"] : ["--proxy", `http://127.0.0.1:${proxyPort}`];
  const always = ["-q", "-sS", "--cacert", certificate, "--no-sessionid", "-o", "/dev/null"];
  return run([toolPath(context.tools, "curl"), ...always, ...proxy, ...args], {
    env: toolEnvironment(context.tools),
  });
}
