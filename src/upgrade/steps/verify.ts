import { compareFingerprints, fingerprintSize, type Fingerprint } from '../../database/fingerprint.ts';
import { measure } from '../../database/measurement.ts';
import { UpgradeError } from '../../common/errors.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { measurementLimit, measuring } from './quiesce.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';
import type { Context, Step } from '../contract/step.ts';

/** Compares the data of the new server with the measurement, and rebuilds indexes on text that sorts differently now. */
export const verify: Step = {
  id: 'verify',
  title: 'Compare the data with the measurement before the upgrade',

  plan: () => [{ does: 'run', what: 'Measure again and compare. REINDEX what sorts differently now.' }],

  async run(context) {
    const { database, journal, results, settings, log } = context;
    const before = measuredBefore(context);
    const after = await withHeartbeat(measuring(context, 'verify', 'measuring the data of PostgreSQL 14'), () =>
      measure(database, settings.jobs, measurementLimit),
    );
    const differences = compareFingerprints(before, after.fingerprint);
    if (differences.length === 0)
      log.info(`The data is as measured before the upgrade: ${fingerprintSize(after.fingerprint)}`);
    else if (journal.noted.letIn === undefined) throw dataDiffers(differences);
    else
      results.warnings.push(
        `The data differs from the measurement before the upgrade: ${shortened(differences)}. The action can't tell why, since somebody else had started ${journal.noted.letIn}`,
      );
    await rebuildIndexes(context, journal.noted.sortOrders ?? {}, after.sortOrders);
    await journal.note('validated', true);
    results.validated = true;
  },
};

function dataDiffers(differences: readonly string[]): UpgradeError {
  return new UpgradeError(
    'data-differs',
    `The data differs from the measurement before the upgrade: ${shortened(differences)}.`,
    'Find out why before you run again. The usual cause is a client that writes while the applications are stopped.',
  );
}

function shortened(differences: readonly string[]): string {
  const more = differences.length - 10;
  return `${differences.slice(0, 10).join('; ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function measuredBefore({ journal, results }: Context): Fingerprint {
  const before = results.before ?? journal.noted.measured;
  if (before !== undefined) return before;
  throw new UpgradeError(
    'not-measured',
    'The journal does not have the measurement before the upgrade, so this run can not compare the data.',
    'Run the upgrade again: it measures again.',
  );
}
