/** What becomes of a run that ends with an error. */
export interface End {
  /** Of the run. `checks`: what the checks have said stays. */
  readonly verdict: 'failed' | 'checks' | 'reverted' | 'interrupted';
  /** Whether a step that fails with it is undone. It is not where another run has the server, or a Job may be at work: the next run resumes from there. */
  readonly undo: boolean;
}

export const failed: End = { verdict: 'failed', undo: true };
export const checks: End = { verdict: 'checks', undo: true };
export const reverted: End = { verdict: 'reverted', undo: true };
export const interrupted: End = { verdict: 'interrupted', undo: true };
export const leftAsItIs: End = { verdict: 'interrupted', undo: false };

/** How a run ends with a code, and for docs/troubleshooting.md what the code means and what to do, in Markdown. */
export type CodeRow = readonly [end: End, meaning: string, advice: string];
