// The generated part of docs/troubleshooting.md: each error code, by the class of its error.
import { errorCodes } from '../src/common/error-codes.ts';
import type { CodeRow } from '../src/common/error-codes/end.ts';

/** Heading, and how the server is left, by the class of the error. */
const classes: Readonly<Record<keyof typeof errorCodes, readonly [title: string, left: string]>> = {
  ConfigurationError: [
    'Inputs and files',
    'An input, or what it points to, is wrong. The run changed nothing in the cluster. A code with `values-` is about the file in `values-file`. The pull request was not made, and an upgrade before it stays done.',
  ],
  ClusterError: [
    'The cluster',
    'The cluster could not be reached, refused a call, or lacks something. Before the first step nothing was changed. Later the action reverts, or the next run resumes.',
  ],
  GitHubError: [
    'GitHub',
    'Only the pull request or the issue is concerned. An upgrade before it stays done: `mode: values` makes the pull request.',
  ],
  PrecheckError: ['Before the upgrade', 'Nothing was stopped, and nothing was changed.'],
  UpgradeError: [
    'The upgrade and the ways back',
    'The message says how the server was left. The verdict `interrupted` means that the next run resumes.',
  ],
  WaitError: ['Limits', 'A wait ended. A Job that is at work goes on: no limit ends it.'],
  CancelledError: [
    'Cancelled runs',
    'The action reverts, unless pg_upgrade is at work ([Interrupted runs](interrupted-runs.md)).',
  ],
};

/** Lines of Markdown. */
export function errorCodeLines(): string[] {
  return Object.entries(classes).flatMap(([name, [title, left]]) => [
    '',
    `### ${title}`,
    '',
    left,
    '',
    '| code | what it means | what to do | verdict |',
    '| --- | --- | --- | --- |',
    ...Object.entries<CodeRow>(errorCodes[name as keyof typeof errorCodes]).map(row),
  ]);
}

function row([code, [{ verdict }, meaning, advice]]: readonly [string, CodeRow]): string {
  const [what, how] = [meaning, advice].map((text) => text.replaceAll('|', '\\|'));
  return `| \`${code}\` | ${what ?? ''} | ${how ?? ''} | ${verdict === 'checks' ? 'as the checks say' : `\`${verdict}\``} |`;
}
