import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createConnections } from "./connections.ts";

const client = () => new EventEmitter() as Socket;

test("a scope with a free place is not full", () => {
  const connections = createConnections(2);
  assert.equal(connections.enter(client()), true);
  assert.equal(connections.isFull(), false);
});

test("a scope without a free place is full, and so it is for a while after a client was turned away", () => {
  const connections = createConnections(1);
  const first = client();
  connections.enter(first);
  assert.equal(connections.isFull(), true);
  assert.equal(connections.enter(client()), false);
  first.emit("close");
  assert.equal(connections.count(), 0);
  assert.equal(connections.isFull(), true);
});
