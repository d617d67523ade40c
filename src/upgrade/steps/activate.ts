import { UpgradeError } from '../../common/errors.ts';
import { upgrade } from '../../common/versions.ts';
import { applied } from '../../objects/applied.ts';
import { gateOperations, imageLetOut, ungateOperations, ungateAndStart } from '../server/scheduling-gate.ts';
import { expectStopped } from '../server/external-start.ts';
import { expectServedImage } from '../job/same-image.ts';
import { waitForServer } from '../server/server-ready.ts';
import type { Step } from '../contract/step.ts';
import { stopServer } from './stop-postgresql.ts';

/** Sets the new image on the StatefulSet and lets the server start. */
export const activate: Step = {
  id: 'activate',
  title: `Start PostgreSQL ${String(upgrade.to)}`,
  isUninterruptible: true,
  serves: true,

  plan({ target, serving, record }) {
    const { statefulSet, container, name } = target;
    // Nothing but the scheduling gate comes between, which it removes.
    const gated = applied(statefulSet, gateOperations(statefulSet));
    const operations = ungateOperations(gated, container.name, serving.reference, record.replicas);
    return [{ does: 'change', resource: 'statefulsets', name, object: gated, operations }];
  },

  async run(context) {
    const { database, serving, log } = context;
    const letOut = await imageLetOut(context);
    if (letOut === undefined) await expectStopped(context);
    // Somebody else set it meanwhile. A StatefulSet waits for ever for a pod that never gets ready before it makes another one.
    else if (letOut !== serving.reference) await stopServer(context);
    await ungateAndStart(context, serving.reference);
    await waitForServer(context, serving.reference);
    await expectServedImage(context);
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
