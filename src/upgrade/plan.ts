import { activate, verify } from './activate.ts';
import { analyze, updateExtensions } from './analyze.ts';
import { restoreApplications, stopApplications } from './applications.ts';
import { quiesce } from './quiesce.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Step } from './step.ts';
import { stopPostgresql } from './stop-postgresql.ts';
import { runUpgradeJob } from './upgrade-job.ts';

/** The moves of an upgrade that can be taken back, in their order. */
export const reversibleSteps: readonly Step[] = [
  stopApplications,
  quiesce,
  stopPostgresql,
  takeSnapshot,
  runUpgradeJob,
  activate,
];

/** The data is judged before anybody may write. What differs keeps the applications stopped; 14 stays up to be looked at. */
export const validation: Step = verify;

/** What only makes the new server faster or newer: it warns when it fails. */
export const improvements: readonly Step[] = [updateExtensions, analyze];

/** Letting the applications in: from here on they write, and nothing is taken back. */
export const release: Step = restoreApplications;
