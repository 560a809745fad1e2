/** Types a line into a real interactive shell and asks it for every completion. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChildProcess, spawn } from "node:child_process";
import type { Shell } from "../../../src/cli/completion/shell.ts";

const DEADLINE_MS = 30_000;
const SCRIPTS = join(import.meta.dirname, "..", "..", "..", "share", "completions");
/** Ctrl-T inserts all completions in place of the word; Ctrl-A and Ctrl-E go to both ends of the line. */
const [INSERT_ALL, START, END] = ["\x14", "\x01", "\x05"];
const PROMPT = "READY>";

/** A shell that is completed by keys: bash and zsh. fish answers a question, see below. */
const INTERACTIVE = {
  bash: {
    file: "bashrc",
    text: `source ${SCRIPTS}/bash/seawall
bind '"\\C-t": insert-completions'
bind 'set enable-bracketed-paste off'
stty cols 4000
PS1='${PROMPT}'
`,
    command: (folder: string) => `bash --noprofile --rcfile ${folder}/bashrc -i`,
  },
  zsh: {
    file: ".zshrc",
    text: `fpath=(${SCRIPTS}/zsh $fpath)
autoload -Uz compinit; compinit -u -D
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches:*' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
bindkey -e; bindkey '^T' all-matches
unset zle_bracketed_paste
stty cols 4000
PROMPT='${PROMPT}'
`,
    command: () => "zsh -i",
  },
} as const;

/**
 * Returns what the shell offers for the last word of a line, in its order. The line is typed in `folder`, where
 * the shell's own files go too.
 */
export async function completionsOf(shell: Shell, line: string, folder: string): Promise<string[]> {
  if (shell === "fish") return fishCompletions(line, folder);
  const { file, text, command } = INTERACTIVE[shell];
  writeFileSync(join(folder, file), text);
  const session = openSession(command(folder), folder);
  try {
    await session.until((screen) => screen.includes(PROMPT));
    session.type(`${line}${INSERT_ALL}${END}; echo E''ND${START}printf '<%s>\\n' \r`);
    const screen = await session.until((seen) => /^END\r?$/m.test(seen));
    const words = [...screen.matchAll(/^<(.*)>\r?$/gm)].map(([, word = ""]) => word.trim());
    const typed = line.split(/\s+/);
    // Without a match the word stays as it was typed.
    return words.slice(typed.length - 1).filter((word) => word !== "" && word !== typed.at(-1));
  } finally {
    await session.close();
  }
}

async function fishCompletions(line: string, folder: string): Promise<string[]> {
  const question = `source ${SCRIPTS}/fish/seawall.fish; complete -C "$argv[1]"`;
  const child = spawn("/usr/bin/fish", ["--no-config", "-c", question, line], options(folder));
  const output = await outputOf(child);
  return output.split("\n").flatMap((row) => row.split("\t")[0] || []);
}

function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (output += String(text)));
  return new Promise((resolve) => child.once("close", () => resolve(output)));
}

function options(folder: string) {
  const env = { PATH: "/usr/bin:/bin", HOME: folder, ZDOTDIR: folder, TERM: "dumb", LC_ALL: "C.UTF-8" };
  return { cwd: folder, env, stdio: "pipe" } as const;
}

interface Session {
  type(keys: string): void;
  /** Resolves to all that was printed, once `isThere` says so. */
  until(isThere: (screen: string) => boolean): Promise<string>;
  /** Resolves once the shell has ended and writes nothing more. */
  close(): Promise<void>;
}

/** Starts a command on a terminal of its own, by script(1). */
function openSession(command: string, folder: string): Session {
  const child = spawn("/usr/bin/script", ["-qfec", command, "/dev/null"], options(folder));
  let screen = "";
  let changed = (): void => {};
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout.on("data", (text) => {
    screen += String(text);
    changed();
  });
  return {
    type: (keys) => void child.stdin.write(keys),
    until: async (isThere) => {
      const timeout = AbortSignal.timeout(DEADLINE_MS);
      while (!isThere(screen)) {
        const more = new Promise<void>((resolve) => (changed = resolve));
        const late = new Promise<never>((_, reject) =>
          timeout.addEventListener("abort", () => reject(new Error(`the shell did not answer:\n${screen}`))),
        );
        await Promise.race([more, late, ended.then(() => Promise.reject(new Error(`it ended:\n${screen}`)))]);
      }
      return screen;
    },
    close: async () => {
      child.stdin.write("\x15exit\r");
      const late = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
      await ended;
      clearTimeout(late);
    },
  };
}
