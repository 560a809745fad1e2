import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVICE_NAMES, serviceNamed } from "./service.ts";

for (const [name, protocol, first, last] of [
  ["ssh", "tcp", 22, 22],
  ["https", "tcp", 443, 443],
  ["dns", "both", 53, 53],
  ["ntp", "udp", 123, 123],
  ["mosh", "udp", 60_000, 61_000],
  ["wireguard", "udp", 51_820, 51_820],
  ["tailscale", "udp", 41_641, 41_641],
  ["openclaw", "tcp", 18_789, 18_789],
] as const) {
  test(`${name} is ${protocol} ${first}-${last}`, () => {
    assert.deepEqual(serviceNamed(name), { protocol, ports: { first, last } });
  });
}

for (const name of ["SSH", "any", "constructor", "__proto__", "toString", ""]) {
  test(`${JSON.stringify(name)} is no service`, () => {
    assert.equal(serviceNamed(name), undefined);
  });
}

test("no two services are the same place under two names", () => {
  const places = SERVICE_NAMES.map((name) => JSON.stringify(serviceNamed(name)));
  assert.equal(new Set(places).size, places.length);
});
