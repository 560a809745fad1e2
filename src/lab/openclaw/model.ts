/** A model that does what it is told: chat completions as OpenAI's interface has them, streamed or whole. */
import type { ServerResponse } from "node:http";
import { z } from "zod";

export const MODEL_ID = "mock-1";
/** What the model says to a message that asks for no tool. */
export const PLAIN_ANSWER = "the model answers";
const RESULT_MAX_CHARACTERS = 6_000;
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

const MESSAGE = z.object({
  role: z.string(),
  content: z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).nullish(),
});
const CHAT = z.object({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(MESSAGE),
  tools: z.array(z.object({ function: z.object({ name: z.string() }) })).optional(),
});

type Message = z.infer<typeof MESSAGE>;
type Decision =
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "call"; readonly tool: string; readonly args: Readonly<Record<string, unknown>> };

/** Answers a request of the model's interface: its list of models, or one completion. */
export function answerModel(body: Buffer, path: string, response: ServerResponse): void {
  if (path.endsWith("/models")) {
    return sendJson(response, {
      object: "list",
      data: [{ id: MODEL_ID, object: "model", owned_by: "lab" }],
    });
  }
  const chat = CHAT.parse(JSON.parse(body.toString("utf8")));
  const decision = decide(chat.messages);
  const base = { id: `chatcmpl-${chat.messages.length}`, created: 1_700_000_000, model: chat.model };
  const content = decision.kind === "say" ? decision.text : null;
  const message = { role: "assistant", content, tool_calls: callsOf(decision, chat.messages.length) };
  const finish = decision.kind === "call" ? "tool_calls" : "stop";
  if (chat.stream !== true) {
    const choices = [{ index: 0, message, finish_reason: finish }];
    return sendJson(response, { ...base, object: "chat.completion", choices, usage: USAGE });
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const send = (choice: object, more: object = {}) => {
    const chunk = { ...base, object: "chat.completion.chunk", choices: [{ index: 0, ...choice }], ...more };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  send({ delta: message, finish_reason: null });
  send({ delta: {}, finish_reason: finish }, { usage: USAGE });
  response.end("data: [DONE]\n\n");
}

/**
 * The person's last message decides: `FETCH url` calls web_fetch, `EXEC command` calls exec, and a tool's result is
 * repeated. OpenClaw adds a user message of its own to each turn, which is not the person's.
 */
function decide(messages: readonly Message[]): Decision {
  const last = messages.findLastIndex(
    (message) => message.role === "user" && !textOf(message).includes("BEGIN_OPENCLAW_INTERNAL_CONTEXT"),
  );
  const result = messages.slice(last + 1).findLast(({ role }) => role === "tool");
  // OpenClaw takes lines that look like a tool's markup out of a reply.
  if (result) {
    return {
      kind: "say",
      text: `The tool said >>>\n${textOf(result).slice(0, RESULT_MAX_CHARACTERS)}\n<<< end`,
    };
  }
  const asked = messages[last] === undefined ? "" : textOf(messages[last]);
  const [, url] = /\bFETCH (\S+)/.exec(asked) ?? [];
  if (url !== undefined) return { kind: "call", tool: "web_fetch", args: { url } };
  const [, command] = /\bEXEC (.+)$/m.exec(asked) ?? [];
  if (command !== undefined) return { kind: "call", tool: "exec", args: { command } };
  return { kind: "say", text: PLAIN_ANSWER };
}

function callsOf(decision: Decision, turn: number): readonly object[] | undefined {
  if (decision.kind === "say") return undefined;
  const called = { name: decision.tool, arguments: JSON.stringify(decision.args) };
  return [{ index: 0, id: `call_${turn}`, type: "function", function: called }];
}

function textOf({ content }: Message): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ text }) => text ?? "").join("");
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}
