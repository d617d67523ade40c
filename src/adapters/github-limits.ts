import type { RequestError } from '@octokit/request-error';
import { GitHubError } from '../common/errors.ts';
import { messageOf } from './github-error.ts';

/** A limit that ends later than this is told to people instead of waited for. */
export const longestPause = 5 * 60_000;

/** What GitHub asks for when it gives no time: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const unsaid = 60_000;

export interface Limited {
  /** Milliseconds until a call can succeed. */
  readonly pause: number;
  error(doing: string): GitHubError;
}

/** Whether a refusal is one of GitHub's rate limits, primary or secondary, and how long it lasts. */
export function limitPause(error: RequestError, now: Date): Limited | undefined {
  if (error.status !== 403 && error.status !== 429) return undefined;
  const headers = error.response?.headers ?? {};
  const pause = pauseOf(headers, messageOf(error), error.status, now);
  if (pause === undefined) return undefined;
  const until = new Date(now.getTime() + pause).toISOString();
  return {
    pause,
    error: (doing) =>
      new GitHubError(
        'github-rate-limited',
        `Can't ${doing}: GitHub limits the number of calls until ${until}.`,
        `Run the workflow again after ${until}, with fewer runs at a time for the same token.`,
      ),
  };
}

function pauseOf(
  headers: Readonly<Record<string, string | number | undefined>>,
  message: string,
  status: number,
  now: Date,
): number | undefined {
  const after = Number(headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(after)) return Math.max(after, 1) * 1000;
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  if (String(headers['x-ratelimit-remaining']) === '0' && Number.isFinite(reset)) {
    return Math.max(reset * 1000 - now.getTime(), 0) + 1000;
  }
  return status === 429 || /rate limit|abuse/i.test(message) ? unsaid : undefined;
}
