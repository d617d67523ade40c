// What GitHub answers on a bad day, in its own words.

export interface Fault {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds before the answer, this one or the real one. */
  readonly delay?: number;
  /** The call is done, and its answer lost. */
  readonly afterwards?: boolean;
  /** The connection is cut instead of an answer. */
  readonly cut?: boolean;
  /** Happens before the call is answered. */
  readonly meanwhile?: () => void;
}

const documentation_url = 'https://docs.github.com/rest';

function refusal(status: number, message: string, headers: Record<string, string> = {}): Fault {
  return { status, body: { message, documentation_url, status: String(status) }, headers };
}

function validation(message: string): Fault {
  const errors = [{ resource: 'PullRequest', code: 'custom', message }];
  return { status: 422, body: { message: 'Validation Failed', errors, documentation_url } };
}

export const faults = {
  badCredentials: refusal(401, 'Bad credentials'),
  notPermitted: refusal(403, 'GitHub Actions is not permitted to create or approve pull requests.'),
  notAccessible: refusal(403, 'Resource not accessible by integration'),
  notFound: refusal(404, 'Not Found'),
  conflict: refusal(409, 'Git Repository is empty.'),
  unresolvable: validation('Could not resolve to a node with the global id of PR_kwDOAAAAAAAAAAA.'),
  noCommits: validation('No commits between main and the branch'),
  exists: validation('A pull request already exists for octo-org:branch.'),
  notFastForward: { status: 422, body: { message: 'Update is not a fast forward', documentation_url } },
  refExists: { status: 422, body: { message: 'Reference already exists', documentation_url } },
  rule: {
    status: 422,
    body: {
      message: 'Repository rule violations found\n\nCannot create ref due to creations being restricted.',
      documentation_url,
    },
  },
  noDrafts: validation('Draft pull requests are not supported in this repository.'),
  serverError: refusal(500, 'Server Error'),
  badGateway: { status: 502, body: '<html><title>502 Bad Gateway</title></html>' },
  unavailable: refusal(503, 'Service Unavailable'),
  lost: { status: 502, body: '<html><title>502 Bad Gateway</title></html>', afterwards: true },
  cut: { cut: true },
  secondaryLimit: refusal(
    403,
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    {
      'retry-after': '7',
    },
  ),
  secondaryLimitUntimed: refusal(
    403,
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
  ),
  tooMany: refusal(429, 'Too many requests', { 'retry-after': '3' }),
} satisfies Record<string, Fault>;

/** The primary limit, until a time. */
export function rateLimited(reset: Date): Fault {
  return refusal(403, 'API rate limit exceeded for installation ID 1.', {
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(Math.floor(reset.getTime() / 1000)),
  });
}

/** What is to go wrong, in the order in which it was said. */
export class FaultQueue {
  private readonly faults: { method: string; path: RegExp; fault: Fault; times: number }[] = [];

  add(method: string, path: RegExp, fault: Fault, times: number): void {
    this.faults.push({ method, path, fault, times });
  }

  next(method: string, path: string): Fault | undefined {
    const found = this.faults.find((f) => f.times > 0 && f.method === method && f.path.test(path));
    if (found !== undefined) found.times--;
    return found?.fault;
  }
}
