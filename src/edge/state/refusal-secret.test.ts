import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { bootId, refusalSecret } from "./refusal-secret.ts";

test("the secret is made once, is root's alone, and is the same after a restart of seawalld", (context) => {
  const folder = temporaryDirectory(context);
  const secret = refusalSecret(folder);
  assert.equal(secret.length, 32);
  assert.equal(statSync(join(folder, "refusal.key")).mode & 0o777, 0o600);
  assert.deepEqual(refusalSecret(folder), secret);
});

test("two machines have two secrets, and a torn file is replaced", (context) => {
  const [one, other] = [temporaryDirectory(context), temporaryDirectory(context)];
  assert.notDeepEqual(refusalSecret(one), refusalSecret(other));
  writeFileSync(join(one, "refusal.key"), "short");
  assert.equal(refusalSecret(one).length, 32);
  assert.deepEqual(refusalSecret(one), refusalSecret(one));
});

test("where nothing can be written there is a secret for this run", () => {
  assert.equal(refusalSecret("/proc/nowhere").length, 32);
});

test("the kernel names this start of the machine", () => assert.match(bootId(), /^[0-9a-f-]{36}$/));
