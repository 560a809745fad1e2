import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { createSay } from "../say.ts";
import { repeatLines } from "./voice.ts";

async function saidOf(...chunks: readonly string[]): Promise<string[]> {
  const stream = new PassThrough();
  const said: string[] = [];
  repeatLines(
    stream,
    createSay((text) => said.push(text)),
  );
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  return said;
}

test("whole lines, however they come", async () => {
  assert.deepEqual(await saidOf("seawall-gate: li", "nked\nmo", "re"), [
    "seawalld: its gate says: seawall-gate: linked\n",
    "seawalld: its gate says: more\n",
  ]);
});

test("attack: an escape sequence of a gate reaches no terminal", async () => {
  assert.deepEqual(await saidOf("\u001b]0;title\u0007\u001b[2J\rall is well\n"), [
    "seawalld: its gate says: ?]0;title??[2J?all is well\n",
  ]);
});

test("attack: a line without end and lines without end fill nothing", async () => {
  const long = await saidOf(
    ..."x"
      .repeat(50)
      .split("")
      .map((x) => x.repeat(20_000)),
  );
  assert.equal(long.length, 1);
  assert.ok((long[0]?.length ?? 0) < 350, `${long[0]?.length} characters`);
  const many = await saidOf("y\n".repeat(100_000));
  assert.equal(many.length, 101);
  assert.match(many.at(-1) ?? "", /not shown/);
});
