/** Writes share/boot/way-back.txt, which postinst and `seawall rescue --help` print without Node. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cardText, installedCard } from "../src/install/card.ts";

writeFileSync(join(import.meta.dirname, "..", "share", "boot", "way-back.txt"), cardText(installedCard()));
