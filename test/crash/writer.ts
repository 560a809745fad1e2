/** Writes batches of numbered events and prints each number that the store acknowledged, until it is killed. */
import { writeSync } from "node:fs";
import { closeStore, openStore } from "../../src/edge/store/database.ts";
import { createEventWriter } from "../../src/edge/store/event-store.ts";
import { flowEvent } from "../support/event.ts";

/** LIMIT: in case nobody kills it. */
const BATCHES_MAX = 20_000;

const store = openStore(process.argv[2] ?? "");
const writer = createEventWriter(store);
const size = Number(process.argv[3]);
const before = Number(store.database.prepare("SELECT count(*) AS n FROM flow").get()?.["n"]);
for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
  const first = before + batch * size;
  const events = Array.from({ length: size }, (_, at) =>
    flowEvent({ timeMs: first + at, rule: `rule-${first + at}` }),
  );
  const problem = writer.append(events);
  if (problem !== null) throw new Error(problem.message);
  writeSync(1, `${first + size}\n`);
}
closeStore(store);
