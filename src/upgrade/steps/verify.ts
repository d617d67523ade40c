import { compareFingerprints, fingerprintSize, type Fingerprint } from '../../database/fingerprint.ts';
import { measure } from '../../database/measurement.ts';
import { UpgradeError } from '../../common/errors.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { measurementLimit, measuring } from './quiesce.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';
import type { Context, Step } from '../contract/step.ts';

/** Compares what was measured before with what the new server has, and makes right what sorts in another way by now. */
export const verify: Step = {
  id: 'verify',
  title: 'Compare the data with the measurement before the upgrade',

  plan: () => [{ does: 'run', what: 'Read the same again and compare. REINDEX what sorts in another way by now.' }],

  async run(context) {
    const { database, journal, results, settings, log } = context;
    const before = measuredBefore(context);
    const after = await withHeartbeat(measuring(context, 'verify', 'measuring the data of PostgreSQL 14'), () =>
      measure(database, settings.jobs, measurementLimit),
    );
    const differences = compareFingerprints(before, after.fingerprint);
    if (differences.length === 0) log.info(`The same: ${fingerprintSize(after.fingerprint)}`);
    else if (journal.noted.letIn === undefined) throw dataDiffers(differences);
    else
      results.warnings.push(
        `The data could not be compared, since somebody else had started ${journal.noted.letIn}. It differs from what was measured before: ${shortened(differences)}`,
      );
    await rebuildIndexes(context, journal.noted.sortOrders ?? {}, after.sortOrders);
    await journal.note('validated', true);
    results.validated = true;
  },
};

function dataDiffers(differences: readonly string[]): UpgradeError {
  return new UpgradeError(
    'data-differs',
    `The data is not what it was: ${shortened(differences)}.`,
    'Look at what differs before the next try. A client that writes while the applications are stopped is the usual cause.',
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
    'What was measured before the upgrade is not known any more.',
    'Run the upgrade again: it measures anew.',
  );
}
