import { GitHubError } from '../common/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { GitHub } from '../ports/github.ts';
import type { Log } from '../ports/runner.ts';

export interface GitHubSurroundings {
  readonly github: GitHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** What somebody else did meanwhile, or what nobody knows: reading it all again shows what is left to do. */
const readAgain: readonly GitHubError['code'][] = ['github-moved', 'github-exists', 'github-uncertain', 'base-moved'];
const attempts = 4;

/**
 * Does what is left to do, from whatever there is, and begins again by reading where somebody came first or an answer was lost.
 * @throws GitHubError of the last attempt, and any other at once
 */
export async function readingAgain<T>(
  { clock, log, signal }: Omit<GitHubSurroundings, 'github'>,
  converge: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await converge();
    } catch (error) {
      if (!(error instanceof GitHubError) || !readAgain.includes(error.code) || attempt === attempts) throw error;
      log.info(`${error.message} Reading again (attempt ${String(attempt)} of ${String(attempts - 1)})`);
      await clock.sleep(1000 * attempt, signal);
    }
  }
}
