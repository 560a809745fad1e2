/** What mends Docker's part: ports by the containers that publish them, and the agent's place in group docker. */
import { shellWord } from "../../base/shell-word.ts";
import type { Facts } from "../fact/facts.ts";
import { valueOr } from "../reading.ts";
import { fixText, run, say } from "./fix.ts";

/** LIMIT: containers and ports that are spelt out. */
const SHOWN_MAX = 8;

/** DKR-007: `n8n: 0.0.0.0:5678 -> 5678/tcp` of the evidence, as it should be published. */
export function fixPublished(_facts: Facts, evidence: readonly string[]): string {
  const found = evidence.flatMap((line) => {
    const [, name = "", host = "", port = "", protocol = ""] =
      /^([\w.-]{1,64}): .*:(\d+) -> (\d+)\/(tcp|udp)$/.exec(line) ?? [];
    return name === ""
      ? []
      : [{ name, text: `127.0.0.1:${host}:${port}${protocol === "udp" ? "/udp" : ""}` }];
  });
  return fixText([
    say(
      "In compose.yaml (or docker run -p), and then docker compose up -d. What strangers are to reach goes through a proxy on 443:",
    ),
    ...found.slice(0, SHOWN_MAX).map(({ name, text }) => say(`  ${name}: ports: ['${text}']`)),
    ...(found.length === 0
      ? [say("  ports: ['127.0.0.1:PORT:PORT'], for each that the evidence names")]
      : []),
  ]);
}

/** DKR-014 */
export function fixDockerGroup(facts: Facts): string {
  const instances = facts.openclaw.kind === "read" ? facts.openclaw.value.instances : [];
  const accounts = valueOr(facts.accounts, []);
  const users = instances.filter(
    ({ uid, process }) =>
      uid !== 0 &&
      ((process.kind === "read" && process.value.groups.includes("docker")) ||
        accounts.some((account) => account.uid === uid && account.groups.includes("docker"))),
  );
  return fixText([
    say("A group is taken away at the agent's next start, so restart it after this:"),
    ...[...new Set(users.map(({ user }) => user))].map((user) => run(`gpasswd -d ${shellWord(user)} docker`)),
  ]);
}
