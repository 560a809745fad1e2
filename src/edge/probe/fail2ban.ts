/** Fail2Ban, by its running server and the kernel (fail2ban-client(1)). */
import type { Fail2banFacts, SshdJail } from "../../core/audit/fact/fail2ban.ts";
import { parseDump, parseSession, type Session } from "../../core/audit/read/fail2ban.ts";
import { absent, type Reading, read, unreadable } from "../../core/audit/reading.ts";
import { type Answer, findProgram } from "../host/command.ts";
import { ask } from "./ask.ts";
import { stateAt } from "./file.ts";

const QUESTIONS = [
  "ping",
  "status",
  "status sshd",
  "get sshd ignoreip",
  "get sshd maxretry",
  "get sshd findtime",
  "get sshd bantime",
  "get sshd actions",
  "get sshd journalmatch",
  "get sshd bantime.increment",
];

interface Seen {
  readonly sshVersion: string | null;
  readonly operators: readonly string[];
}

export async function readFail2ban(seen: Promise<Seen>): Promise<Reading<Fail2banFacts>> {
  if (findProgram("fail2ban-client") === undefined) return absent("Fail2Ban is not installed");
  if (process.geteuid?.() !== 0)
    return unreadable("Fail2Ban answers root only", "sudo seawall audit --layer fail2ban");
  const [session, dump, test, nft, iptables, edited] = await Promise.all([
    ask("fail2ban-client", ["-i"], { input: `${QUESTIONS.join("\n")}\nexit\n` }),
    ask("fail2ban-client", ["-d"]),
    ask("fail2ban-client", ["-t"]),
    ask("nft", ["list", "ruleset"]),
    ask("iptables-save", []),
    ask("dpkg", ["--verify", "fail2ban"]),
  ]);
  const said = parseSession(session?.stdout ?? "");
  const rules = `${nft?.stdout ?? ""}\n${iptables?.stdout ?? ""}`;
  return read({
    ...(await seen),
    running: said.pong,
    jails: said.jails,
    parses: parsesOf(test),
    sshd: jailOf(said, dump?.stdout ?? ""),
    inKernel:
      nft === undefined && iptables === undefined
        ? unreadable("neither nft nor iptables can be asked", "apt-get install nftables")
        : read(bannedIn(rules)),
    edited:
      edited === undefined
        ? unreadable("dpkg is not here", "dpkg --verify fail2ban")
        : read(editedFiles(edited.stdout)),
    hasNft: findProgram("nft") !== undefined,
    hasIptables: findProgram("iptables") !== undefined,
  });
}

function parsesOf(test: Answer | undefined): Fail2banFacts["parses"] {
  if (test === undefined) return unreadable("fail2ban-client -t cannot be run", "fail2ban-client -t");
  const said = `${test.stderr}\n${test.stdout}`
    .split("\n")
    .filter((line) => /ERROR/.test(line))
    .map((line) => line.replace(/^.*ERROR\s*/, ""));
  return read({ ok: test.status === 0, said: said[0] ?? "" });
}

function jailOf(session: Session, dump: string): Reading<SshdJail> {
  if (!session.pong) return unreadable("its server does not answer", "systemctl start fail2ban");
  if (!session.jails.includes("sshd")) return absent("there is no jail named sshd");
  const configured = parseDump(dump, "sshd");
  const files = session.logFiles;
  return read({
    backend: configured.backend,
    journalMatch: session.journalMatch ?? (configured.backend === "systemd" ? configured.journalMatch : null),
    logFiles: files,
    missingLogs: files.filter((file) => stateAt(file) === undefined),
    maxRetry: session.maxRetry,
    findSeconds: session.findSeconds,
    banSeconds: session.banSeconds,
    increment: session.increment,
    recidive: session.jails.includes("recidive"),
    ports: configured.ports,
    allPorts: configured.allPorts,
    actions: session.actions,
    banned: session.banned,
    ignored: session.ignored,
  });
}

/** Addresses in sets named `addr-set-*`, and in chains named `f2b-*`. */
function bannedIn(rules: string): string[] {
  const sets = [...rules.matchAll(/set addr6?-set-[^{]*\{[^}]*elements = \{([^}]*)\}/g)].flatMap((match) =>
    (match[1] ?? "").split(","),
  );
  const chains = [...rules.matchAll(/^-A f2b-\S+ -s (\S+)/gm)].map((match) => match[1] ?? "");
  return [...sets, ...chains]
    .map((text) => (text.trim().split(/\s/)[0] ?? "").replace(/\/(32|128)$/, ""))
    .filter((text) => text !== "");
}

/** dpkg --verify: `??5?????? c /etc/fail2ban/jail.conf` is a configuration file whose sum differs. */
function editedFiles(text: string): string[] {
  return text.split("\n").flatMap((line) => /^..5\S+\s+(?:c\s+)?(\/\S+)/.exec(line)?.[1] ?? []);
}
