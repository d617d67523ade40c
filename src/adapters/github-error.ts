import { RequestError } from '@octokit/request-error';
import { describe, GitHubError, sentence } from '../common/errors.ts';

/** What a workflow's job has to name for the pull request. */
export const pullRequestPermissions = 'contents: write, pull-requests: write';
export const issuePermissions = 'issues: write';

interface Refusal {
  readonly code: GitHubError['code'];
  readonly remedy: string | ((permissions: string) => string);
}

/** Messages that say more than their status does. GitHub has no other code for them. */
const byMessage: readonly (Refusal & { readonly message: RegExp })[] = [
  {
    message: /not permitted to create or approve pull requests/i,
    code: 'github-pull-requests-not-permitted',
    remedy:
      'Allow it in the settings of the repository and of its organization: Actions, General, "Allow GitHub Actions to create and approve pull requests".',
  },
  {
    message: /resource not accessible by (integration|personal access token)/i,
    code: 'github-permission-missing',
    remedy: (permissions) => `${grant(permissions)} A run for a fork never has them.`,
  },
  {
    message: /issues (are|has been|have been) disabled/i,
    code: 'github-issues-disabled',
    remedy: 'Turn "Issues" on in the settings of the repository (General, Features), or "issue" off.',
  },
  {
    message: /not a fast.?forward|reference does not exist/i,
    code: 'github-moved',
    remedy: 'Somebody pushed meanwhile. Run the workflow again.',
  },
  {
    message: /reference already exists|pull request already exists/i,
    code: 'github-exists',
    remedy: 'Another run created it meanwhile. Run the workflow again.',
  },
  {
    message: /draft pull requests are not supported/i,
    code: 'github-no-drafts',
    remedy: 'Set "pull-request-draft" to false.',
  },
  {
    message: /repository rule violations|protected branch|cannot create ref|bypass/i,
    code: 'github-rule',
    remedy:
      'Let the rules of the repository (Settings, Rules) allow the token this branch. Or set "pull-request-branch" to a name that they allow.',
  },
];

const byStatus: Readonly<Record<number, Refusal>> = {
  401: { code: 'github-unauthorized', remedy: 'Renew the token: GitHub does not accept it.' },
  403: { code: 'github-forbidden', remedy: grant },
  404: {
    code: 'github-not-found',
    remedy: 'Check the name. GitHub also answers so when the token may not see the repository or may not write to it.',
  },
  409: { code: 'github-moved', remedy: 'Somebody else changed it meanwhile. Run the workflow again.' },
  422: { code: 'github-invalid', remedy: "See GitHub's message." },
};

function grant(permissions: string): string {
  return `Give the job "permissions: { ${permissions} }", or the token these permissions.`;
}

const longestMessage = 500;

/**
 * What GitHub refused, in its own words.
 * @param doing completes "Can't …"
 * @param permissions what a job would have to name, as `contents: write`
 * @param redact takes secrets out of it before it is cut: half of a secret is not found any more
 */
export function refusal(
  doing: string,
  error: RequestError,
  permissions: string,
  redact: (text: string) => string,
): GitHubError {
  const message = redact(messageOf(error)).slice(0, longestMessage);
  const known: Refusal = byMessage.find((entry) => entry.message.test(message)) ??
    byStatus[error.status] ?? {
      code: error.status >= 500 ? 'github-server-error' : 'github-refused',
      remedy: 'Look at https://www.githubstatus.com, then run the workflow again.',
    };
  return new GitHubError(
    known.code,
    `Can't ${doing}: ${sentence(message || 'GitHub gave no message')} (HTTP ${String(error.status)})`,
    typeof known.remedy === 'string' ? known.remedy : known.remedy(permissions),
  );
}

/** A call that never got an answer. */
export function noAnswer(doing: string, address: string, error: unknown): GitHubError {
  return new GitHubError(
    'github-unreachable',
    `Can't ${doing}: no answer from ${address}: ${sentence(reasonOf(error))}`,
    'Check the network and the proxy (HTTPS_PROXY, NO_PROXY); a certificate authority of your own goes into NODE_EXTRA_CA_CERTS.',
  );
}

/** GitHub's message, with those of the single faults that a validation names. One line. */
export function messageOf(error: RequestError): string {
  const data = error.response?.data as { message?: unknown; errors?: unknown } | string | undefined;
  const own = typeof data === 'object' && typeof data.message === 'string' ? data.message : '';
  const faults = typeof data === 'object' && Array.isArray(data.errors) ? data.errors.map(faultText) : [];
  const text = own === '' && typeof data === 'string' ? data : [own, ...faults].filter(Boolean).join(': ');
  return text
    .slice(0, 100 * longestMessage)
    .replace(/\s+/g, ' ')
    .trim();
}

function faultText(fault: unknown): string {
  if (typeof fault === 'string') return fault;
  const { message, resource, field, code } = (fault ?? {}) as Record<string, unknown>;
  return [message, ...(message === undefined ? [resource, field, code] : [])]
    .filter((p) => typeof p === 'string')
    .join(' ');
}

/** undici says only "fetch failed" and has the truth in the cause, octokit copies the text of one of them. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = describe(inner);
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : '';
  return text === '' ? code : text;
}
