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
  verify,
  updateExtensions,
  analyze,
];

/** Letting the applications in: from here on they write, and nothing is taken back by itself. */
export const release: Step = restoreApplications;
