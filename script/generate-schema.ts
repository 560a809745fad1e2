/** Writes schema/policy.schema.json from the zod schema. `npm run check` fails when it is out of date. */
import { writeFileSync } from "node:fs";
import { policyJsonSchema } from "../src/core/policy/schema.ts";

const file = new URL("../schema/policy.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
