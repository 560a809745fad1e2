/** What a gate knows of a flow beyond what the kernel does, and the id of a refusal. `door` is a number of code.ts. */
export const NAMES_0002 = `
ALTER TABLE flow ADD COLUMN host TEXT;
ALTER TABLE flow ADD COLUMN door INTEGER;
ALTER TABLE flow ADD COLUMN refusal TEXT;
CREATE INDEX flow_by_refusal ON flow (refusal, time_ms) WHERE refusal IS NOT NULL;
`;
