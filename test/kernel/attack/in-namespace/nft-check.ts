/** Reads rulesets (JSON list of texts) from standard input and prints what nft says to each: "" when it takes it. */
import { readFileSync } from "node:fs";
import { nftLoad, nftOutput } from "../../../support/wire/nft.ts";

const texts = JSON.parse(readFileSync(0, "utf8")) as readonly string[];
const said = texts.map((text) => {
  try {
    nftLoad(text);
  } catch (error) {
    return String(error);
  }
  const tables = nftOutput(["list", "tables"]).trim();
  return tables === "table inet seawall" ? "" : `tables: ${tables}`;
});
process.stdout.write(`${JSON.stringify(said)}\n`);
