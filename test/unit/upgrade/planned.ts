// The plan of an upgrade, as a dry run makes it.
import type { FactsWithRehearsal } from '../../../src/facts/facts.ts';
import type { PlannedStep } from '../../../src/report/planned-step.ts';
import { draftUpgrade } from '../../../src/upgrade/upgrade.ts';
import { inputs } from '../objects.ts';
import { facts } from '../prechecks/facts.ts';
import type { live } from './live.ts';

export type Live = Awaited<ReturnType<typeof live>>;

export type Rehearsed = Pick<FactsWithRehearsal, 'rehearsed' | 'rehearsalProof'>;

/** What a rehearsal adds that counts, and proves the backup. */
export const rehearsed: Rehearsed = {
  rehearsed: { 'rehearsal-cut': 2.5, 'rehearsal-ready': 600, 'rehearsal-copy': 601, 'rehearsal-recovery': 40 },
  rehearsalProof: { run: 'process 1', at: '2026-01-02T03:04:05.000Z', cuts: 'in-time' },
};

export async function planned(
  { context, clock }: Live,
  given: Record<string, string> = {},
  more: Partial<FactsWithRehearsal> = {},
): Promise<PlannedStep[]> {
  const all = await facts({ inputs: inputs(given), target: context.target });
  return draftUpgrade({ ...all, ...more }, context.scripts, 'run-1', clock.now());
}

/** The steps of a downtime without hooks, in their order. */
export const stepsOfDowntime = [
  'stop-applications',
  'quiesce',
  'stop-postgresql',
  'backup',
  'upgrade-job',
  'backup-ready',
  'activate',
  'verify',
  'update-extensions',
  'server-ready',
  'restore-applications',
];
