import { EVENTS_0001 } from "./0001-events.ts";
import { NAMES_0002 } from "./0002-names.ts";
import { SHARES_0003 } from "./0003-shares.ts";

/** All migrations, oldest first. The database's user_version says how many of them it has. Never edit one. */
export const MIGRATIONS: readonly string[] = [EVENTS_0001, NAMES_0002, SHARES_0003];

/** The format that this version writes, and reads up to. */
export const STORE_FORMAT = MIGRATIONS.length;
