/** Each shell with the file name under which it looks for the completion of `seawall`. */
export const COMPLETION_FILES = { bash: "seawall", zsh: "_seawall", fish: "seawall.fish" } as const;

export type Shell = keyof typeof COMPLETION_FILES;
export const SHELLS = Object.keys(COMPLETION_FILES) as readonly Shell[];
