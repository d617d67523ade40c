import type { Finding, Status } from '../findings/finding.ts';
import type { Prediction } from '../facts/prediction.ts';
import type { Status as UpgradeStatus } from '../upgrade/status.ts';
import type { Image } from '../target/images.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { KeptIssue } from '../issue/keep.ts';
import type { Published } from '../pull-request/publish.ts';
import type { PlanReport } from './plan-report.ts';
import type { Phase } from './timeline.ts';

export type Verdict =
  | Status
  | 'upgraded'
  | 'already-upgraded'
  | 'reverted'
  | 'rolled-back'
  | 'interrupted'
  | 'proposed'
  | 'up-to-date'
  | 'declined'
  | UpgradeStatus['state'];

export interface AskedImage {
  readonly reference: string;
  /** The imageID; undefined where no probe was asked, or no node told. */
  readonly seen: string | undefined;
}

/** All that a run has to tell; written as JSON (report-shape.ts says in which shape) and rendered as the job summary. */
export interface Report {
  readonly schema: 1;
  readonly mode: Inputs['mode'];
  readonly namespace: string;
  readonly cluster: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** By check: seconds that the slowest reading of what it looked at took. */
  readonly checkSeconds: Readonly<Record<string, number>> | undefined;
  /** PostgreSQL 14 has been started by this run and answered. */
  readonly serving: boolean;
  readonly image: Image | undefined;
  /** The images as the inputs name them, and what the nodes said that the probes ran; missing where the checks did not run. */
  readonly images?: { readonly upgrade: AskedImage; readonly serving: AskedImage } | undefined;
  readonly phases: readonly Phase[];
  readonly snapshot: string | undefined;
  /** Kind and name of the object that holds the volume as it was before the upgrade. */
  readonly backup: string | undefined;
  readonly downtimeSeconds: number | undefined;
  /** Undefined where the replay was not run, or not to its end. */
  readonly prediction: Prediction | undefined;
  /** What an upgrade would do; only for "dry-run". */
  readonly plan: PlanReport | undefined;
  readonly transfer: string | undefined;
  readonly versions: { readonly before: string | undefined; readonly after: string | undefined };
  /** Only for `mode: status`. */
  readonly status: UpgradeStatus | undefined;
  /** Undefined when there was to be none, or it failed. */
  readonly pullRequest: Omit<Published, 'warnings'> | undefined;
  /** Undefined when there was to be none, or the checks did not come to their end. */
  readonly issue: Omit<KeptIssue, 'warnings'> | undefined;
  readonly warnings: readonly string[];
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string } | undefined;
}
