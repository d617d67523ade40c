import { activate } from './steps/activate.ts';
import { analyze, updateExtensions } from './steps/analyze.ts';
import { restoreApplications, stopApplications } from './steps/applications.ts';
import { quiesce } from './steps/quiesce.ts';
import { proveBackup } from './backup/prove.ts';
import { protectVolume } from './backup/reclaim-policy.ts';
import { takeBackup } from './backup/take.ts';
import type { Noted } from '../journal/notes.ts';
import type { Step } from './contract/step.ts';
import { stopPostgresql } from './steps/stop-postgresql.ts';
import { runUpgradeJob } from './steps/upgrade-job.ts';
import { verify } from './steps/verify.ts';

/** The moves of an upgrade that can be taken back, in their order. */
export const reversibleSteps: readonly Step[] = [
  protectVolume,
  proveBackup,
  stopApplications,
  quiesce,
  stopPostgresql,
  takeBackup,
  runUpgradeJob,
  activate,
];

/** The data is judged and made right before anybody may write. What fails is taken back. */
export const validation: Step = verify;

/** What only makes the new server faster or newer: it warns when it fails. */
export const improvements: readonly Step[] = [updateExtensions, analyze];

/** Letting the applications in: from here on they write, and nothing is taken back. */
export const release: Step = restoreApplications;

/** Which of them a way back still has to undo, by what the journal says; all of them once the applications were let in. */
export function stepsToUndo({ step, undone }: Readonly<Noted>): readonly Step[] {
  const at = (id: string | undefined) => reversibleSteps.findIndex((s) => s.id === id);
  if (at(undone) !== -1) return reversibleSteps.slice(0, at(undone));
  return step === release.id ? reversibleSteps : reversibleSteps.slice(0, at(step) + 1);
}
