/** Questions over HTTP to this host itself. Nothing is sent to another machine. */
import { request } from "node:http";
import { request as secureRequest } from "node:https";
import type { TLSSocket } from "node:tls";

const DEADLINE_MS = 3_000;
const BODY_BYTES_MAX = 64 * 1024;

export interface HttpQuestion {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The name for TLS and Host; plain HTTP without it. */
  readonly tlsName?: string;
  readonly host?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly tls: {
    readonly validUntilMs: number;
    readonly trusted: boolean;
    readonly why: string;
    readonly version: string;
  } | null;
}

/** Returns the answer, or why there is none. A certificate that is not trusted is told, not refused. */
export function askHttp(
  question: HttpQuestion,
): Promise<HttpAnswer | { readonly status: null; readonly why: string }> {
  return new Promise((resolve) => {
    const { tlsName, headers = {} } = question;
    const options = {
      host: question.address,
      port: question.port,
      path: question.path,
      headers: {
        host: question.host ?? tlsName ?? `${question.address}:${question.port}`,
        "user-agent": "seawall-audit",
        ...headers,
      },
      timeout: DEADLINE_MS,
      agent: false as const,
    };
    const outgoing =
      tlsName === undefined
        ? request(options)
        : secureRequest({ ...options, servername: tlsName, rejectUnauthorized: false });
    let tls: HttpAnswer["tls"] = null;
    outgoing.on("socket", (socket) => {
      socket.once("secureConnect", () => {
        tls = certificateOf(socket as TLSSocket);
      });
    });
    const finish = (status: number, fields: NodeJS.Dict<string | string[]>, body: string): void => {
      const flat = Object.entries(fields).map(
        ([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")] as const,
      );
      resolve({ status, headers: Object.fromEntries(flat), body, tls });
    };
    outgoing.once("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
        else outgoing.destroy();
      });
      response.once("close", () =>
        finish(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString("utf8")),
      );
    });
    outgoing.once("upgrade", (response, socket) => {
      socket.destroy();
      finish(response.statusCode ?? 101, response.headers, "");
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer in 3 s")));
    outgoing.once("error", (cause) => resolve({ status: null, why: cause.message }));
    outgoing.end();
  });
}

function certificateOf(socket: TLSSocket): HttpAnswer["tls"] {
  const certificate = socket.getPeerCertificate();
  const error = socket.authorizationError as Error | string | null | undefined;
  return {
    validUntilMs: Date.parse(certificate.valid_to ?? "") || 0,
    trusted: socket.authorized,
    why:
      error === null || error === undefined
        ? ""
        : `its certificate is not trusted: ${typeof error === "string" ? error : error.message}`,
    version: socket.getProtocol() ?? "",
  };
}
