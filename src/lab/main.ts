/** `npm start` begins here: the same as `seawall lab`. */
import process from "node:process";

process.argv.splice(2, 0, "lab");
await import("../cli/main.ts");
