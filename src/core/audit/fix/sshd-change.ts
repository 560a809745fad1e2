/** A change of sshd's configuration that takes effect where it is written, and is loaded without cutting a session. */
import type { Facts } from "../fact/facts.ts";
import type { SshConfigFile, SshFacts } from "../fact/ssh.ts";
import { type SshdDirective, parseSshdFile } from "../read/sshd.ts";
import { shellWord } from "../../base/shell-word.ts";
import { type Step, run, say } from "./fix.ts";
import { secondLogin } from "./way-in.ts";

const DROP_IN = "/etc/ssh/sshd_config.d/00-seawall.conf";
const MAIN = "/etc/ssh/sshd_config";

export interface Setting {
  /** As sshd_config(5) spells it. */
  readonly keyword: string;
  readonly value: string;
}

/** A value that a Match block gives, with its place. */
export interface InMatch extends SshdDirective {
  readonly file: string;
  /** `Match User ann (/etc/ssh/sshd_config:12)`. */
  readonly block: string;
}

/** Returns the lines of all files that set one of these keywords inside a Match block. */
export function setInMatch({ files }: SshFacts, keywords: readonly string[]): InMatch[] {
  return files.flatMap((file) => {
    const found: InMatch[] = [];
    let block: string | null = null;
    for (const directive of parseSshdFile(file.text)) {
      if (directive.keyword === "match")
        block =
          directive.value.toLowerCase() === "all"
            ? null
            : `Match ${directive.value} (${file.path}:${directive.line})`;
      else if (block !== null && keywords.includes(directive.keyword))
        found.push({ ...directive, file: file.path, block });
    }
    return found;
  });
}

/** Returns the commands that set these for everybody whom no Match block names. */
export function setGlobally(ssh: SshFacts, settings: readonly Setting[]): Step[] {
  const target = targetOf(
    ssh,
    settings.map(({ keyword }) => keyword.toLowerCase()),
  );
  const lines = settings.map(({ keyword, value }) => `${keyword} ${value}`);
  if (target.isNew)
    return [
      say(`The first value that sshd reads wins: ${target.path} is read first.`),
      ...(target.path === DROP_IN ? [run("mkdir -p /etc/ssh/sshd_config.d")] : []),
      run(`printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} >>${shellWord(target.path)}`),
    ];
  return [
    say(`The first value that sshd reads wins, so it goes to the top of ${target.path}.`),
    ...lines.toReversed().map((line) => run(`sed -i '1i ${line}' ${shellWord(target.path)}`)),
  ];
}

/** A drop-in of ours, where it is read before anything else says the same; the top of the main file otherwise. */
function targetOf(
  { files, dropIns }: SshFacts,
  keywords: readonly string[],
): { readonly path: string; readonly isNew: boolean } {
  const [main] = files;
  if (main !== undefined && isDropInFirst(main, keywords) && dropIns.every((path) => path >= DROP_IN)) {
    if (!dropIns.includes(DROP_IN)) return { path: DROP_IN, isNew: true };
    const ours = files.find(({ path }) => path === DROP_IN);
    if (ours !== undefined && hasText(ours)) return { path: DROP_IN, isNew: false };
  }
  return { path: main?.path ?? MAIN, isNew: main === undefined || !hasText(main) };
}

/** Whether the main file reads the folder of drop-ins before it says anything of these keywords. */
function isDropInFirst({ path, text }: SshConfigFile, keywords: readonly string[]): boolean {
  const directives = parseSshdFile(text);
  const at = directives.findIndex(({ keyword }) => keyword === "include");
  if (path !== MAIN || !DROP_INS.test(directives[at]?.value ?? "")) return false;
  return !directives.slice(0, at).some(({ keyword }) => keywords.includes(keyword) || keyword === "match");
}

const DROP_INS = /(^|\s)(\/etc\/ssh\/)?sshd_config\.d\/\*(\.conf)?(\s|$)/;

function hasText({ text }: SshConfigFile): boolean {
  return text.trim() !== "";
}

/** Returns the commands that set a keyword in the Match blocks that set it otherwise. */
export function setInBlocks(
  ssh: SshFacts,
  { keyword, value }: Setting,
  wrong: (value: string) => boolean,
): Step[] {
  const own = setInMatch(ssh, [keyword.toLowerCase()]).filter((one) => wrong(one.value.toLowerCase()));
  return own.flatMap(({ block, file, line }) => [
    say(`${block} says otherwise, and a line outside of it does nothing against that:`),
    run(
      `sed -i '${line}s/^\\([[:space:]]*\\)${caseless(keyword)}.*/\\1${keyword} ${value}/' ${shellWord(file)}`,
    ),
  ]);
}

function caseless(word: string): string {
  return [...word].map((letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`).join("");
}

/** Tests the configuration and has the running sshd read it. Sessions that are open stay open. */
export function reloadSshd(facts: Facts, ssh: SshFacts): Step[] {
  const path = ssh.files[0]?.path ?? MAIN;
  const check = `sshd -t${path === MAIN ? "" : ` -f ${shellWord(path)}`}`;
  const load = loadCommand(ssh);
  return [
    run(load === null ? check : `${check} && ${load}`),
    ...(ssh.unit === null && ssh.pidFile === null && !ssh.socketActivated
      ? [say("sshd does not run, or nobody knows by which number: it reads this at its next start.")]
      : []),
    ...secondLogin(facts),
  ];
}

export function loadCommand({ unit, pidFile, socketActivated }: SshFacts): string | null {
  if (unit !== null) return `systemctl reload ${shellWord(unit)}`;
  if (socketActivated) return "systemctl try-reload-or-restart ssh.service";
  return pidFile === null ? null : `kill -HUP "$(cat ${shellWord(pidFile)})"`;
}
