/** Layer 6: secrets, by where they were found. The values are nowhere in here. */
import { type Check, type Outcome, fail, given, notApplicable, pass, passUnless, unknown } from "../check.ts";
import { modeText } from "../fact/file.ts";
import { fixConfigSecrets, fixEnvFiles, fixGitignore, fixState } from "../fix/secret.ts";
import type { EnvFile, SecretFacts, SecretHit } from "../fact/secret.ts";
import type { Facts } from "../fact/facts.ts";
import { valueOr } from "../reading.ts";

const DAY_MS = 86_400_000;
const KEY_AGE_WARN_MS = 90 * DAY_MS;
const KEY_AGE_MAX_MS = 180 * DAY_MS;

const hitText = ({ place, rule }: SecretHit): string => `${place}: ${rule}`;

export const SECRET_CHECKS: readonly Check[] = [
  {
    id: "SEC-001",
    layer: "secrets",
    severity: "high",
    title: "No key is written into openclaw.json",
    fails: "A key is written into openclaw.json",
    why: "a configuration is copied, shared and backed up, and the key goes with it",
    fix: 'write a reference in its place: {source: "exec", provider: ..., id: ...}, or a variable of the agent\'s environment',
    remedy: (_facts, seen) => fixConfigSecrets(seen),
    looksAt: "openclaw secrets audit, and the configuration by our own rules",
    judge: (facts) =>
      given(facts.secrets, ({ config }) => {
        const instances = facts.openclaw.kind === "read" ? facts.openclaw.value.instances : [];
        const audited = instances.flatMap(({ secretsAudit }) =>
          secretsAudit.kind === "read" ? [secretsAudit.value] : [],
        );
        return given(config, (hits) => {
          const details = audited.flatMap(({ details: found }) => found);
          return passUnless(
            hits.length > 0 ? hits.map(hitText) : details,
            "no value of the configuration looks like a secret",
          );
        });
      }),
  },
  {
    id: "SEC-002",
    layer: "secrets",
    severity: "high",
    title: "Only the agent's user reads OpenClaw's state",
    fails: "Others may read OpenClaw's state",
    why: "tokens, chats and credentials of channels lie there",
    fix: "chmod 700 the folders and 600 the files that are named, and give them to the agent's user",
    remedy: (facts) => fixState(facts),
    looksAt: "stat of the state folder, the configuration, credentials and databases",
    judge: (facts) =>
      given(facts.secrets, ({ statePermissions }) =>
        given(statePermissions, (wrong) =>
          passUnless(wrong, "state 0700, files 0600, all of the agent's user"),
        ),
      ),
  },
  {
    id: "SEC-003",
    layer: "secrets",
    severity: "high",
    title: "Every .env file is for its owner only",
    fails: "Others may read or write a .env file",
    why: "any other account on the server could read the keys",
    fix: "chmod 600 the files that are named",
    remedy: (facts) => fixEnvFiles(facts),
    looksAt: "stat of every .env file and its folder",
    judge: (facts) =>
      given(facts.secrets, ({ envFiles }) => {
        if (envFiles.length === 0) return notApplicable("there is no .env file");
        return passUnless(
          envFiles.flatMap(envProblems),
          envFiles.map((file) => `${file.path}: ${modeText(file.mode)}`),
        );
      }),
  },
  {
    id: "SEC-004",
    layer: "secrets",
    severity: "critical",
    title: "No secret is in a git repository",
    fails: "A secret is in a git repository",
    why: "what was committed once stays in the history and goes wherever the repository goes",
    fix: "rotate the key first; then remove it from the history (git filter-repo) and add the file to .gitignore",
    looksAt: "the tracked files and the history of repositories in the agent's folders",
    judge: (facts) =>
      onRepositories(facts, (repositories) => {
        const hits = repositories.flatMap(({ path, hits: found }) =>
          found.map((hit) => `${path}: ${hitText(hit)}`),
        );
        if (hits.length > 0) return fail(hits);
        const partial = repositories.find(({ complete }) => !complete);
        if (partial !== undefined)
          return unknown(
            `only ${partial.commits} commits of ${partial.path} were read`,
            `gitleaks git ${partial.path}`,
          );
        return pass(...repositories.map(({ path, commits }) => `${path}: ${commits} commits, no secret`));
      }),
  },
  {
    id: "SEC-005",
    layer: "secrets",
    severity: "medium",
    title: "Git ignores .env",
    fails: "Git would take a .env file",
    why: "one `git add .` and the keys are in the history",
    fix: "add .env to .gitignore of the repository that is named, and git rm --cached it there",
    remedy: (facts) => fixGitignore(facts),
    looksAt: "git check-ignore and git ls-files",
    judge: (facts) =>
      onRepositories(facts, (repositories) => {
        if (!repositories.some(({ hasEnv }) => hasEnv))
          return notApplicable("no repository of the agent holds a .env file");
        return passUnless(
          repositories.flatMap(({ path, unignored }) =>
            unignored.map((file) => `${path}/${file} is not ignored`),
          ),
          "every .env file in a repository is ignored",
        );
      }),
  },
  {
    id: "SEC-006",
    layer: "secrets",
    severity: "medium",
    title: "Keys are encrypted where they lie",
    fails: "Keys lie on the disk in plain text",
    why: "a copy of the disk or a backup gives away every key that lies there in plain text",
    fix: "seal them (AES-256-GCM), or let OpenClaw fetch them by a SecretRef of kind exec from a vault",
    looksAt: "sealed files and their format; where OpenClaw gets its secrets from; plain text that was found",
    judge: (facts) =>
      given(facts.secrets, (secrets) => {
        const broken = secrets.sealed.flatMap(({ path, problem }) =>
          problem === null ? [] : [`${path}: ${problem}`],
        );
        const plain = plainPlaces(secrets);
        if (plain.length + broken.length > 0)
          return fail([...broken, ...plain.map((place) => `in plain text: ${place}`)]);
        if (secrets.sealed.length > 0) return pass(...secrets.sealed.map(({ path }) => `${path} is sealed`));
        if (secrets.sources.includes("exec"))
          return pass("OpenClaw fetches its secrets from a program when it starts");
        return notApplicable("no key was found on this host");
      }),
  },
  {
    id: "SEC-007",
    layer: "secrets",
    severity: "medium",
    title: "The key of the keys is not beside them",
    fails: "The key of the keys lies beside them",
    why: "a lock with its key under the mat is no lock",
    fix: "systemd-creds encrypt --with-key=tpm2, or a vault",
    looksAt: "the key source of each sealed file",
    judge: (facts) =>
      given(facts.secrets, ({ sealed }) => {
        if (sealed.length === 0) return notApplicable("nothing is sealed on this host");
        return passUnless(
          sealed
            .filter(({ keySource }) => keySource === "file")
            .map(({ path }) => `the key of ${path} is a file on this disk`),
          sealed.map(({ path, keySource }) => `${path}: ${keySource}`),
        );
      }),
  },
  {
    id: "SEC-008",
    layer: "secrets",
    severity: "medium",
    title: "No secret is in a unit file or in a stranger's environment",
    fails: "A secret is in a unit file or a stranger's environment",
    why: "every user can read a unit file, and the environment of a process is inherited by all it starts",
    fix: "LoadCredentialEncrypted= in the unit, or EnvironmentFile= with mode 600",
    looksAt: "Environment= of every unit, /proc/*/environ of processes that are not the agent",
    judge: (facts) =>
      given(facts.secrets, ({ units, environments }) => {
        if (units.length > 0) return fail([...units.map(hitText), ...valueOr(environments, []).map(hitText)]);
        return given(environments, (hits) =>
          passUnless(
            hits.map(hitText),
            "none in Environment= of a unit, none in the environment of another process",
          ),
        );
      }),
  },
  {
    id: "SEC-009",
    layer: "secrets",
    severity: "medium",
    title: "No secret is in histories, backups or transcripts",
    fails: "Secrets are in histories, backups or transcripts",
    why: "a key typed into a shell or a chat is kept there for years",
    fix: "rotate the key, then remove the lines that are named",
    looksAt: "shell histories and start files, *.bak, session transcripts of the agent's user",
    judge: (facts) =>
      given(facts.secrets, ({ traces }) =>
        given(traces, (hits) => passUnless(hits.map(hitText), "nothing there looks like a secret")),
      ),
  },
  {
    id: "SEC-010",
    layer: "secrets",
    severity: "low",
    title: "Memory does not leak to the disk",
    fails: "Memory can reach the disk, with the keys in it",
    why: "swap and core dumps hold the keys that were in memory",
    fix: "sysctl -w fs.suid_dumpable=0; encrypt the swap (on a small server without swap the agent can run out of memory)",
    looksAt: "/proc/swaps, fs.suid_dumpable",
    judge: (facts) =>
      given(facts.secrets, ({ swap, swapEncrypted, suidDumpable }) =>
        passUnless(
          [
            ...(swapEncrypted ? [] : swap.map((device) => `${device} is swap without encryption`)),
            ...(suidDumpable !== null && suidDumpable !== 0 ? [`fs.suid_dumpable is ${suidDumpable}`] : []),
          ],
          `${swap.length === 0 ? "no swap" : "encrypted swap"}, fs.suid_dumpable ${suidDumpable ?? "?"}`,
        ),
      ),
  },
  {
    id: "SEC-011",
    layer: "secrets",
    severity: "high",
    title: "The program that hands out secrets is the agent's own and nobody else writes it",
    fails: "Somebody else may change the program that hands out secrets",
    why: "who can change that program gets every key",
    fix: "an absolute path, no symbolic link, chmod go-w, owned by the gateway's user or root",
    looksAt: "stat of the command of each exec provider",
    judge: (facts) =>
      given(facts.secrets, ({ resolvers }) => {
        if (resolvers.length === 0) return notApplicable("OpenClaw has no secret provider of kind exec");
        return passUnless(
          resolvers.flatMap(({ provider, problem }) => (problem === null ? [] : [`${provider}: ${problem}`])),
          resolvers.map(({ provider }) => `${provider} is safe`),
        );
      }),
  },
  {
    id: "SEC-012",
    layer: "secrets",
    severity: "low",
    title: "Keys are renewed in time",
    fails: "Keys are old",
    why: "a key that leaked unnoticed works until it is replaced",
    fix: "make new keys at the provider, replace them, and revoke the old ones",
    looksAt:
      "when each sealed secret was made; a file with keys that did not change for so long holds keys at least as old",
    judge: (facts) => given(facts.secrets, (secrets) => judgeAges(secrets, facts.takenMs)),
  },
  {
    id: "SEC-013",
    layer: "secrets",
    severity: "low",
    title: "OpenClaw's state is backed up",
    fails: "OpenClaw's state is not backed up",
    why: "without a copy a broken disk or a bad update takes pairings, memory and workspace",
    fix: "openclaw backup create, from a timer, to another machine",
    looksAt: "the newest backup beside each instance; or your statement (seawall audit attest SEC-013)",
    judge: (facts) =>
      given(facts.openclaw, ({ instances }) => {
        const stated = facts.attested.find(({ check }) => check === "SEC-013");
        if (stated !== undefined) return pass(`${stated.owner}, ${stated.on}: ${stated.says}`);
        const all = instances.flatMap(({ backups }) => (backups.kind === "read" ? backups.value : []));
        const newest = all.toSorted((left, right) => right.newestMs - left.newestMs)[0];
        if (newest === undefined)
          return fail("no backup was found beside the state folder, and none is stated");
        const days = Math.round((facts.takenMs - newest.newestMs) / DAY_MS);
        return passUnless(
          days > 7 ? [`the newest backup, ${newest.path}, is ${days} days old`] : [],
          `${newest.path}, ${days} days old`,
        );
      }),
  },
];

function onRepositories(
  facts: Facts,
  judge: (repositories: Extract<SecretFacts["repositories"], { kind: "read" }>["value"]) => Outcome,
): Outcome {
  return given(facts.secrets, ({ repositories }) =>
    given(repositories, (all) =>
      all.length === 0 ? notApplicable("no git repository in the agent's folders") : judge(all),
    ),
  );
}

function envProblems(file: EnvFile): string[] {
  const problems: string[] = [];
  if ((file.mode & 0o077) !== 0) problems.push(`${file.path}: ${modeText(file.mode)}`);
  if (file.uid !== file.ownerUid && file.uid !== 0)
    problems.push(`${file.path}: owned by ${file.uid}, not by ${file.ownerUid}`);
  if (file.links > 1) problems.push(`${file.path}: has ${file.links} names (hard links)`);
  if ((file.parent.mode & 0o022) !== 0 && (file.parent.mode & 0o1000) === 0)
    problems.push(`${file.parent.path}: others may write the folder (${modeText(file.parent.mode)})`);
  return problems;
}

function plainPlaces(secrets: SecretFacts): string[] {
  return [
    ...valueOr(secrets.config, []).map(hitText),
    ...secrets.envFiles.flatMap(({ hits }) => hits.map(hitText)),
  ];
}

function judgeAges(secrets: SecretFacts, nowMs: number): Outcome {
  const sealed = secrets.sealed.flatMap(({ path, createdMs }) =>
    createdMs === null ? [] : [{ path, age: nowMs - createdMs }],
  );
  const files = secrets.envFiles
    .filter(({ hits }) => hits.length > 0)
    .map(({ path, mtimeMs }) => ({ path, age: nowMs - mtimeMs }));
  const old = [...sealed, ...files].filter(({ age }) => age > KEY_AGE_MAX_MS);
  const text = ({ path, age }: { readonly path: string; readonly age: number }): string =>
    `${path}: at least ${Math.round(age / DAY_MS)} days`;
  if (old.length > 0) return fail(old.map(text));
  const aging = [...sealed, ...files].filter(({ age }) => age > KEY_AGE_WARN_MS);
  if (aging.length > 0) return fail(aging.map(text), { severity: "info" });
  if (sealed.length > 0) return pass(...sealed.map(text));
  if (files.length > 0)
    return unknown(
      "a .env file says when it was changed, not when its keys were made",
      "seal the keys: then their age is kept with them",
    );
  return notApplicable("no key was found whose age could be told");
}
