import type { Commands } from "./command.ts";

/** Every command by its words. Loaded one at a time, so that `status` does not pay for the parser. */
export const COMMANDS: Commands = {
  init: { summary: "Find OpenClaw and write a first policy", load: () => import("./command/init.ts") },
  status: { summary: "Show what is in force", load: () => import("./command/status.ts") },
  apply: { summary: "Enforce a policy, with a way back", load: () => import("./command/apply.ts") },
  confirm: { summary: "Keep the policy that waits", load: () => import("./command/confirm.ts") },
  rollback: { summary: "Go back to the policy before", load: () => import("./command/rollback.ts") },
  down: { summary: "Take everything of Seawall out of the kernel", load: () => import("./command/down.ts") },
  panic: { summary: "Cut the agent off at once; SSH stays", load: () => import("./command/panic.ts") },
  pause: {
    summary: "Only watch what the agent reaches, for a while",
    load: () => import("./command/pause.ts"),
  },
  rescue: {
    summary: "The way back: nothing judges but the guards, until the next apply",
    load: () => import("./command/rescue.ts"),
  },
  history: { summary: "List the changes, or show one", load: () => import("./command/history.ts") },
  backup: {
    summary: "Keep configuration, history and events in one file",
    load: () => import("./command/backup.ts"),
  },
  restore: { summary: "Put a backup back, all of it or nothing", load: () => import("./command/restore.ts") },
  support: {
    summary: "Gather what a bug report needs, without secrets and names",
    load: () => import("./command/support.ts"),
  },
  flows: { summary: "Show connections, refused and admitted", load: () => import("./command/flows.ts") },
  audit: {
    summary: "Check the eight layers of this server, with evidence",
    load: () => import("./command/audit.ts"),
  },
  "audit diff": {
    summary: "Show what changed between two audits",
    load: () => import("./command/audit/diff.ts"),
  },
  "audit history": {
    summary: "List the audits that were kept",
    load: () => import("./command/audit/history.ts"),
  },
  "audit waive": {
    summary: "Accept a failed check until a date, with the reason",
    load: () => import("./command/audit/waive.ts"),
  },
  "audit attest": {
    summary: "State what no program can see: billing limits, the provider's firewall",
    load: () => import("./command/audit/attest.ts"),
  },
  "checks list": {
    summary: "List every check of the audit",
    load: () => import("./command/checks/list.ts"),
  },
  "checks show": {
    summary: "Explain one check: what it looks at, why, and what helps",
    load: () => import("./command/checks/show.ts"),
  },
  explain: {
    summary: "Say in plain English what happens to a flow",
    load: () => import("./command/explain.ts"),
  },
  allow: { summary: "Add an outbound allow to the policy file", load: () => import("./command/allow.ts") },
  block: { summary: "Add an outbound deny to the policy file", load: () => import("./command/block.ts") },
  approve: { summary: "Allow what was refused, by its id", load: () => import("./command/approve.ts") },
  evaluate: { summary: "Judge flows by a policy, as NDJSON", load: () => import("./command/evaluate.ts") },
  compile: { summary: "Print what a target would be given", load: () => import("./command/compile.ts") },
  "policy check": { summary: "Check a policy file", load: () => import("./command/policy/check.ts") },
  "policy fmt": { summary: "Format a policy file", load: () => import("./command/policy/fmt.ts") },
  "policy migrate": {
    summary: "Write a policy file in the present version of the language",
    load: () => import("./command/policy/migrate.ts"),
  },
  "policy schema": {
    summary: "Print the JSON Schema of policies",
    load: () => import("./command/policy/schema.ts"),
  },
  prove: {
    summary: "Try the known ways around the policy, from the agent's own place",
    load: () => import("./command/prove.ts"),
  },
  probe: {
    summary: "Make one attempt from the agent's own place, and say who decided",
    load: () => import("./command/probe.ts"),
  },
  version: {
    summary: "Say which version this is, and what it runs with",
    load: () => import("./command/version.ts"),
  },
  help: {
    summary: "Explain a command",
    load: async () => (await import("./command/help.ts")).commandAmong(COMMANDS),
  },
  completion: {
    summary: "Print the completion script of a shell",
    load: async () => (await import("./command/completion.ts")).commandAmong(COMMANDS),
  },
  daemon: { summary: "Run seawalld in the foreground", load: () => import("./command/daemon.ts") },
  gate: { summary: "Run the gates alone: explicit proxy and DNS", load: () => import("./command/gate.ts") },
  install: {
    summary: "Install Seawall on this machine: program, units, a way back",
    load: () => import("./command/install.ts"),
  },
  attach: {
    summary: "Put a systemd unit below the slice of its scope",
    load: () => import("./command/attach.ts"),
  },
  uninstall: {
    summary: "Remove what install made, and the rules",
    load: () => import("./command/uninstall.ts"),
  },
  lab: { summary: "Show the whole thing in a throw-away world", load: () => import("./command/lab.ts") },
};
