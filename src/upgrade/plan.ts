import { activate } from './steps/activate.ts';
import { analyze, quickAnalyze } from './steps/analyze.ts';
import { updateExtensions } from './steps/extensions.ts';
import { keepAttached } from './steps/anchor.ts';
import { restoreApplications, stopApplications } from './steps/applications.ts';
import { quiesce } from './steps/quiesce.ts';
import { awaitBackup } from './backup/backup-ready.ts';
import { proveBackup } from './backup/prove.ts';
import { protectVolume } from './backup/reclaim-policy.ts';
import { takeBackup } from './backup/take.ts';
import { afterApplications, beforeApplications, hasAfterApplications, hasBeforeApplications } from './steps/hooks.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { Noted } from '../journal/notes.ts';
import type { Step } from './contract/step.ts';
import { awaitReady } from './steps/ready.ts';
import { stopPostgresql } from './steps/stop-postgresql.ts';
import { runUpgradeJob } from './steps/upgrade-job.ts';
import { verify } from './steps/verify.ts';

/** The steps of an upgrade that can be undone, in their order. */
export const reversibleSteps: readonly Step[] = [
  protectVolume,
  proveBackup,
  keepAttached,
  stopApplications,
  quiesce,
  stopPostgresql,
  takeBackup,
  runUpgradeJob,
  awaitBackup,
  activate,
];

/** Judges the data, and rebuilds indexes, before any client may write. If it fails, the action reverts. */
export const validation: Step = verify;

/** What only makes the new server newer, before the applications are restarted: a failure is a warning. */
export const improvements: readonly Step[] = [updateExtensions];

/** What the administrator has run before the applications are restarted: if it fails, the action reverts; and afterwards: a failure reverts nothing. */
export function hooksOf(inputs: Inputs): { readonly before: readonly Step[]; readonly after: readonly Step[] } {
  return {
    before: hasBeforeApplications(inputs) ? [beforeApplications] : [],
    after: hasAfterApplications(inputs) ? [afterApplications] : [],
  };
}

/** Right before the release: applications that find no database may fail. */
export const ready: Step = awaitReady;

/** Restarts the applications: from here on they write, and nothing reverts by itself. */
export const release: Step = restoreApplications;

/** Beside the restart of the applications, and after it. The server is right without it, so a failure stops nothing. */
export const statistics = { quick: quickAnalyze, full: analyze } as const satisfies Readonly<Record<string, Step>>;

/** The steps that are still to be undone, by what the journal says; all of them once the applications were restarted. */
export function stepsToUndo({ step, undone }: Readonly<Noted>): readonly Step[] {
  const at = (id: string | undefined) => reversibleSteps.findIndex((s) => s.id === id);
  if (at(undone) !== -1) return reversibleSteps.slice(0, at(undone));
  return step === release.id ? reversibleSteps : reversibleSteps.slice(0, at(step) + 1);
}
