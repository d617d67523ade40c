/**
 * Others' words in a sentence of ours, in quotation marks. Nothing in them ends the quotation, or is a command of ours (`prose`), which people would run.
 */
export function quoted(others: string): string {
  return `"${others.replace(/["`]/g, "'")}"`;
}
