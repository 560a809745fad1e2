/** Adds one entry to audit.yaml; every comment and other line stays as it is. */
import { isMap, isSeq, parseDocument } from "yaml";
import { CHECKS, checkNamed } from "../../../core/audit/check/all.ts";
import type { Check } from "../../../core/audit/check.ts";
import { parseOperatorWord } from "../../../core/audit/waiver.ts";
import { SeawallError } from "../../../core/base/error.ts";
import { readText } from "../../../edge/probe/file.ts";
import { foldersOf, makeFolder } from "../../../edge/state/folder.ts";
import { replaceFile } from "../../../edge/state/replace-file.ts";
import type { CommandContext, Offer } from "../../command.ts";
import { operatorWordPath } from "./take.ts";

/** Refuses an entry that would not hold once it is read again. */
export function addEntry(
  context: CommandContext,
  list: "waivers" | "attested",
  entry: Readonly<Record<string, string>>,
): string {
  const { config } = foldersOf(context.env);
  const path = operatorWordPath(config);
  const content = readText(path, { follow: true });
  if (content.kind === "refused")
    throw new SeawallError("SEAWALL_STATE", content.why, { help: `ls -l ${path}` });
  const document = parseDocument(content.kind === "text" ? content.text : "");
  if (document.errors.length > 0 || !(document.contents === null || isMap(document.contents)))
    throw new SeawallError(
      "SEAWALL_USAGE",
      `${path} cannot be read as YAML with \`waivers\` and \`attested\``,
      { still: "nothing was changed", help: `edit ${path}` },
    );
  if (isSeq(document.get(list))) document.addIn([list], document.createNode(entry));
  else document.set(list, document.createNode([entry]));
  const text = document.toString({ lineWidth: 0 });
  const before = parseOperatorWord(content.kind === "text" ? content.text : "", isCheck).problems;
  const [problem] = parseOperatorWord(text, isCheck).problems.filter((one) => !before.includes(one));
  if (problem !== undefined)
    throw new SeawallError("SEAWALL_USAGE", problem, {
      still: "nothing was changed",
      help: `seawall audit ${list === "waivers" ? "waive" : "attest"} --help`,
    });
  makeFolder(config);
  replaceFile(path, text);
  return path;
}

function isCheck(id: string): boolean {
  return checkNamed(id) !== undefined;
}

export function checkArgument(context: CommandContext): Check {
  const [id] = context.positionals;
  if (id === undefined)
    throw new SeawallError("SEAWALL_USAGE", "the check is missing", { help: "seawall checks list" });
  const check = checkNamed(id);
  if (check === undefined)
    throw new SeawallError("SEAWALL_NOT_FOUND", `there is no check \`${id}\``, {
      help: "seawall checks list",
    });
  return check;
}

/** What a shell offers for it. */
export const CHECK_OFFER: Offer = { kind: "word", words: CHECKS.map(({ id }) => id) };

/** Who says so: `--owner`, or the login that sudo or the session knows. */
export function ownerOf(context: CommandContext): string {
  const { owner } = context.flags;
  if (typeof owner === "string" && owner.trim() !== "") return owner.trim();
  return context.env["SUDO_USER"] || context.env["USER"] || "root";
}

/** Returns the day of a moment as the file has it. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
