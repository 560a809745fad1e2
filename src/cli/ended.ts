/** Says how many connections a change has ended. */
export function endedText(ended: number): string {
  return `ended: ${ended} open connection${ended === 1 ? "" : "s"} that the policy forbids\n`;
}
