/** What mends secrets: the files that were found, and the variable that the secret at hand is called by. */
import { shellWord } from "../../base/shell-word.ts";
import type { Facts } from "../fact/facts.ts";
import { valueOr } from "../reading.ts";
import { type Step, fixText, run, say } from "./fix.ts";

/** LIMIT: places that are spelt out; the evidence has the others. */
const SHOWN_MAX = 12;

/** SEC-001: `.../openclaw.json: channels.telegram.botToken: Telegram bot token`, a line each. */
export function fixConfigSecrets(evidence: readonly string[]): string {
  const settings = evidence.flatMap(
    (line) => /: ([A-Za-z][\w-]*(?:\.[\w-]+)+)(?=: |$)/.exec(line)?.[1] ?? [],
  );
  const lines = settings.slice(0, SHOWN_MAX).map((path) => say(`  ${path}: "\${${variableOf(path)}}"`));
  return fixText([
    say(
      'Write a reference in place of the value, and the value into the agent\'s environment (its .env with mode 0600, or LoadCredential= of its unit); or a SecretRef: {source: "exec", provider: ..., id: ...}',
    ),
    ...lines,
    say("Renew the key at its provider: what lay in the file may have been copied."),
  ]);
}

const NAMES: Readonly<Record<string, string>> = {
  "gateway.auth.token": "OPENCLAW_GATEWAY_TOKEN",
  "gateway.auth.password": "OPENCLAW_GATEWAY_PASSWORD",
};

/** `models.providers.anthropic.apiKey` is ANTHROPIC_API_KEY, `channels.telegram.botToken` TELEGRAM_BOT_TOKEN. */
export function variableOf(path: string): string {
  const parts = path.split(".");
  const words = parts.slice(-2).join("_");
  return (
    NAMES[path] ??
    words
      .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
      .replaceAll(/[^A-Za-z0-9]+/g, "_")
      .toUpperCase()
  );
}

/** SEC-002: by the paths and owners that were seen. */
export function fixState(facts: Facts): string {
  const wrong = facts.secrets.kind === "read" ? valueOr(facts.secrets.value.statePermissions, []) : [];
  const instances = facts.openclaw.kind === "read" ? facts.openclaw.value.instances : [];
  const folders = new Set(instances.flatMap(({ stateFolder }) => stateFolder?.path ?? []));
  const steps = wrong.slice(0, SHOWN_MAX).flatMap((line): Step[] => {
    const [, open] = /^(\/.+): 0?[0-7]{3,4}$/.exec(line) ?? [];
    if (open !== undefined)
      return [run(`chmod ${folders.has(open) ? "u=rwx,go=" : "go="} ${shellWord(open)}`)];
    const [, path, uid] = /^(\/.+): owned by \d+, the agent is (\d+)$/.exec(line) ?? [];
    return path === undefined || uid === undefined ? [] : [run(`chown -h ${uid} ${shellWord(path)}`)];
  });
  return fixText([
    say("What lies there is for the agent's user alone:"),
    ...steps,
    ...(wrong.length > SHOWN_MAX
      ? [say(`${wrong.length - SHOWN_MAX} more: seawall audit --check SEC-002 again after this.`)]
      : []),
  ]);
}

/** SEC-003 */
export function fixEnvFiles(facts: Facts): string {
  const files = facts.secrets.kind === "read" ? facts.secrets.value.envFiles : [];
  return fixText([
    say("A .env file is for its owner alone:"),
    ...files.flatMap((file): Step[] => {
      const word = shellWord(file.path);
      return [
        ...((file.mode & 0o077) === 0 ? [] : [run(`chmod 600 ${word}`)]),
        ...(file.uid === file.ownerUid || file.uid === 0 ? [] : [run(`chown -h ${file.ownerUid} ${word}`)]),
        ...((file.parent.mode & 0o022) === 0 || (file.parent.mode & 0o1000) !== 0
          ? []
          : [run(`chmod go-w ${shellWord(file.parent.path)}`)]),
        ...(file.links > 1
          ? [say(`${file.path} has ${file.links} names (find / -samefile ${file.path}): remove the others.`)]
          : []),
      ];
    }),
  ]);
}

/** SEC-005 */
export function fixGitignore(facts: Facts): string {
  const all = facts.secrets.kind === "read" ? valueOr(facts.secrets.value.repositories, []) : [];
  const open = all.filter(({ unignored }) => unignored.length > 0).slice(0, SHOWN_MAX);
  return fixText([
    say("As the owner of the repository, in it:"),
    ...open.flatMap(({ path, unignored }) => [
      say(`  cd ${shellWord(path)} && echo .env >>.gitignore`),
      say(`  git rm --cached --ignore-unmatch -- ${unignored.map(shellWord).join(" ")}`),
    ]),
  ]);
}
