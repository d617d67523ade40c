import { compareFingerprints, fingerprintSize, takeFingerprint } from '../database/fingerprint.ts';
import { UpgradeError } from '../errors.ts';
import { upgrade } from '../versions.ts';
import { unfenceAndStart } from './fence.ts';
import { unpack } from './measurement.ts';
import { fingerprintLimit } from './quiesce.ts';
import { waitForServer } from './server-ready.ts';
import type { Step } from './step.ts';
import { stopServer } from './stop-postgresql.ts';

/** Sets the new image on the StatefulSet and lets the server start. */
export const activate: Step = {
  id: 'activate',
  title: `Start PostgreSQL ${String(upgrade.to)}`,
  isUninterruptible: true,

  async run(context) {
    const { database, serving, log } = context;
    await unfenceAndStart(context, serving.reference);
    await waitForServer(context, serving.reference);
    const version = (await database.read('template1', "SELECT current_setting('server_version');")).trim();
    if (!version.startsWith(`${String(upgrade.to)}.`)) {
      throw new UpgradeError(
        'wrong-server',
        `The server answers with version ${version}, not ${String(upgrade.to)}.`,
        'Check the image: its tag does not say what is in it.',
      );
    }
    log.info(`PostgreSQL ${version} answers`);
  },

  /** Stops it again; whether the data can be taken back then, the Job tells from the disk. */
  async undo(context) {
    await stopServer(context);
  },
};

/** Compares what was measured before with what the new server has. */
export const verify: Step = {
  id: 'verify',
  title: 'Compare the data with what was measured before',

  async run({ database, journal, results, settings, log }) {
    const { measured } = journal.noted;
    const before = results.before ?? (measured === undefined ? undefined : await unpack(measured));
    if (before === undefined)
      throw new UpgradeError(
        'not-measured',
        'What was measured before the upgrade is not known any more.',
        'Run the upgrade again: it measures anew.',
      );
    const after = await takeFingerprint(database, settings.jobs, fingerprintLimit);
    const differences = compareFingerprints(before, after);
    if (differences.length > 0) {
      throw new UpgradeError(
        'data-differs',
        `The data is not what it was: ${differences.slice(0, 10).join('; ')}${differences.length > 10 ? ` and ${String(differences.length - 10)} more` : ''}.`,
        'Look at what differs before the next try. A client that writes while the applications are stopped is the usual cause.',
      );
    }
    log.info(`The same: ${fingerprintSize(after)}`);
    await journal.note('validated', 'yes');
    results.validated = true;
  },
};
