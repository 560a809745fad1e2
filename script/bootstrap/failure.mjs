/** Something the person at the keyboard can mend: one message, one command that helps. */
export class Failure extends Error {
  constructor(message, help = "", exitCode = 2) {
    super(message);
    this.help = help;
    this.exitCode = exitCode;
  }
}

/** Talks on stderr; standard output belongs to the task. */
export function say(line) {
  process.stderr.write(`seawall: ${line}\n`);
}
