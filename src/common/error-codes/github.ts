import { failed, type CodeRow } from './end.ts';

/** GitHub could not be reached, refused a call, or holds something that is not ours to change. */
export const gitHubCodes = {
  'base-moved': [
    failed,
    'The values file on the base branch changed again and again while the branch was written.',
    'Run the workflow again.',
  ],
  'branch-not-ours': [
    failed,
    'The branch has commits that the action did not make, so it was left alone.',
    'Merge or close its pull request and delete the branch, or set `pull-request-branch`.',
  ],
  'github-exists': [
    failed,
    'Another run made the same branch or pull request at the same moment.',
    'Run the workflow again: it finds what there is.',
  ],
  'github-forbidden': [
    failed,
    'GitHub refuses the call to this token.',
    'Give the job the `permissions` that the message names.',
  ],
  'github-invalid': [
    failed,
    'GitHub refuses the content of a call, for example an assignee who is no collaborator.',
    "The message has GitHub's words.",
  ],
  'github-issues-disabled': [
    failed,
    'The repository has no issues.',
    'Turn them on (Settings, General, Features), or leave `issue` out.',
  ],
  'github-moved': [failed, 'Somebody pushed or changed the same object at the same moment.', 'Run the workflow again.'],
  'github-no-drafts': [failed, 'The repository has no draft pull requests.', 'Set `pull-request-draft` to `false`.'],
  'github-not-found': [
    failed,
    'GitHub finds nothing under that name, or hides it from this token.',
    "Check the name, and the token's rights to the repository.",
  ],
  'github-permission-missing': [
    failed,
    'The token lacks a permission.',
    'Add the `permissions` that the message names to the job. A run for a fork never has them.',
  ],
  'github-pull-requests-not-permitted': [
    failed,
    'The settings do not let workflows open pull requests. The commit is on its branch.',
    'Settings, Actions, General: "Allow GitHub Actions to create and approve pull requests", in the organization first. Or open the pull request by hand.',
  ],
  'github-rate-limited': [
    failed,
    'GitHub limits the number of calls of this token.',
    'Run again after the time in the message.',
  ],
  'github-refused': [
    failed,
    'GitHub refused a call, with a status that has no code of its own.',
    "The message has GitHub's words.",
  ],
  'github-rule': [
    failed,
    'A rule of the repository forbids the branch or the commit.',
    'Settings, Rules: allow the token this branch, or set `pull-request-branch` to a name that is allowed.',
  ],
  'github-server-error': [
    failed,
    'GitHub answered with an error of its own (5xx).',
    "Look at [GitHub's status](https://www.githubstatus.com), then run again.",
  ],
  'github-unauthorized': [failed, 'GitHub does not accept the token.', 'Renew the token.'],
  'github-uncertain': [
    failed,
    'The answer to a write was lost, so it is not known whether it was done.',
    'Run the workflow again: it finds what there is.',
  ],
  'github-unexpected-answer': [failed, 'Something else than GitHub answers.', 'Check `GITHUB_API_URL` and the proxy.'],
  'github-unreachable': [
    failed,
    'GitHub does not answer.',
    'Check the network and the proxy (`HTTPS_PROXY`, `NO_PROXY`) of the runner.',
  ],
} as const satisfies Readonly<Record<string, CodeRow>>;
