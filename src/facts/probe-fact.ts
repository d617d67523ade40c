import type { Answer } from '../findings/finding.ts';

/** One answer about the pull request that the upgrade will end with. */
export interface ProbeFact extends Answer {
  readonly id: 'values-file' | 'values-branch' | 'push-right' | 'branch-rules' | 'pull-request-right';
  /** Of the values file, where it could be read: the image, its tag or its digest as the file has it now; '' where it names none. */
  readonly names?: string;
}
