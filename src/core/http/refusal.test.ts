import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { request } from "node:http";
import { test } from "node:test";
import { encodeRefusal } from "./refusal.ts";

interface Answer {
  readonly status: number | undefined;
  readonly message: string | undefined;
  readonly headers: object;
  readonly body: string;
}

/** What Node's client makes of the bytes; no network is used. */
function answered(bytes: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
        wire.push(bytes);
      },
    });
    const sent = request({ createConnection: () => wire }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          message: response.statusMessage,
          headers: response.headers,
          body,
        }),
      );
    });
    sent.on("error", reject).end();
  });
}

for (const [status, message] of [
  [403, "Forbidden"],
  [502, "Bad Gateway"],
  [499, "Refused"],
] as const) {
  test(`${status} is a whole answer that Node's client reads`, async () => {
    const body = { reason: "outbound.default", host: "ä.example\r\n\r\nHTTP/1.1 200 OK", port: 443 };
    const answer = await answered(encodeRefusal(status, body));
    assert.deepEqual([answer.status, answer.message], [status, message]);
    assert.deepEqual(answer.headers, {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(answer.body)),
      "cache-control": "no-store",
      connection: "close",
    });
    assert.deepEqual(JSON.parse(answer.body), body);
  });
}
