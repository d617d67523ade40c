import type { Finding, Status } from '../prechecks/finding.ts';
import type { Image } from '../target/images.ts';
import type { Mode } from '../target/permissions.ts';
import type { Phase } from './timeline.ts';

export type Verdict = Status | 'upgraded' | 'already-upgraded' | 'reverted';

/** All that a run has to tell; written as JSON and rendered as the job summary. */
export interface Report {
  readonly schema: 1;
  readonly mode: Mode;
  readonly namespace: string;
  readonly cluster: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** PostgreSQL 14 has been started by this run and answered. */
  readonly serving: boolean;
  readonly image: Image | undefined;
  readonly phases: readonly Phase[];
  readonly snapshot: string | undefined;
  readonly downtimeSeconds: number | undefined;
  readonly transfer: string | undefined;
  readonly versions: { readonly before: string | undefined; readonly after: string | undefined };
  readonly warnings: readonly string[];
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string } | undefined;
}
