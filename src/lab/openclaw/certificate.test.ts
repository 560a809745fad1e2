import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { certify } from "./certificate.ts";

const NAMES = ["api.example.com", "eu.files.example.org"];
const NOW_MS = Date.now();

describe("the certificates of the lab", () => {
  test("the root signs itself and the site, and the site names exactly what it is for", () => {
    const { root, certificate } = certify(NAMES, NOW_MS);
    const [above, site] = [new X509Certificate(root), new X509Certificate(certificate)];
    assert.deepEqual([above.ca, site.ca], [true, false]);
    assert.ok(above.verify(above.publicKey) && site.verify(above.publicKey));
    assert.ok(site.checkIssued(above));
    assert.equal(site.subjectAltName, NAMES.map((name) => `DNS:${name}`).join(", "));
  });

  test("they are valid from a day before to two days after", () => {
    const { root, certificate } = certify(NAMES, Date.UTC(2026, 0, 31, 12, 34, 56));
    for (const { validFromDate, validToDate } of [root, certificate].map((pem) => new X509Certificate(pem))) {
      assert.equal(validFromDate.toISOString(), "2026-01-30T12:34:56.000Z");
      assert.equal(validToDate.toISOString(), "2026-02-02T12:34:56.000Z");
    }
  });

  test("names of more than 255 bytes together fit", () => {
    const names = Array.from({ length: 30 }, (_, index) => `name-${index}.example.com`);
    const site = new X509Certificate(certify(names, NOW_MS).certificate);
    assert.equal(site.checkHost("name-29.example.com"), "name-29.example.com");
  });

  test("a client that trusts the root accepts a site by its name, and no other name", async () => {
    const certified = certify(NAMES, NOW_MS);
    assert.equal(await handshake(certified, NAMES[1] ?? "", certified.root), "authorized");
    assert.equal(
      await handshake(certified, "other.example.com", certified.root),
      "ERR_TLS_CERT_ALTNAME_INVALID",
    );
  });

  test("a client that trusts another root of the lab does not", async () => {
    const other = certify(NAMES, NOW_MS).root;
    assert.equal(await handshake(certify(NAMES, NOW_MS), NAMES[0] ?? "", other), "CERT_SIGNATURE_FAILURE");
  });
});

async function handshake(
  { key, certificate }: ReturnType<typeof certify>,
  servername: string,
  ca: string,
): Promise<string> {
  const server = createServer({ key, cert: certificate }, (socket) => socket.on("error", () => undefined));
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername, ca });
  const outcome = await new Promise<string>((resolve) => {
    socket.once("secureConnect", () => resolve(socket.authorized ? "authorized" : "not authorized"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  socket.destroy();
  server.close();
  return outcome;
}
