import { UpgradeError } from '../../common/errors.ts';
import { upgrade } from '../../common/versions.ts';
import { applied } from '../../objects/applied.ts';
import { gateOperations, ungatedImage, ungateOperations, ungateAndStart } from '../server/scheduling-gate.ts';
import { expectStopped } from '../server/external-start.ts';
import { expectServedImage } from '../job/same-image.ts';
import { waitForAnswer } from '../server/server-ready.ts';
import type { Step } from '../contract/step.ts';
import { stopServer } from './stop-postgresql.ts';

/** Sets the new image on the StatefulSet and starts the server. */
export const activate: Step = {
  id: 'activate',
  title: `Start PostgreSQL ${String(upgrade.to)}`,
  undoTitle: `Stop PostgreSQL ${String(upgrade.to)}`,
  isUninterruptible: true,
  serves: true,

  plan({ target, serving, record }) {
    const { statefulSet, container, name } = target;
    // Only the scheduling gate was set before, and this step removes it.
    const gated = applied(statefulSet, gateOperations(statefulSet));
    const operations = ungateOperations(gated, container.name, serving.reference, record.replicas);
    return [{ does: 'change', resource: 'statefulsets', name, object: gated, operations }];
  },

  async run(context) {
    const { serving, log } = context;
    const ungated = await ungatedImage(context);
    if (ungated === undefined) await expectStopped(context);
    // Somebody else set another image meanwhile. A StatefulSet waits for ever for a pod that never becomes ready, before it creates another one.
    else if (ungated !== serving.reference) await stopServer(context);
    await ungateAndStart(context, serving.reference);
    // What compares the data asks in the pod. The applications come through the Service, and complete.ts waits until that has the pod.
    const version = await waitForAnswer(context, serving.reference);
    await expectServedImage(context);
    if (!version.startsWith(`${String(upgrade.to)}.`)) {
      throw new UpgradeError(
        'wrong-server',
        `The server answers with version ${version}, not PostgreSQL ${String(upgrade.to)}.`,
        'Check the image of the StatefulSet: its tag does not show its content.',
      );
    }
    log.info(`PostgreSQL ${version} answers`);
  },

  /** Stops the server again. The Job then sees on the disk whether it can restore the data directory. */
  async undo(context) {
    await stopServer(context);
  },
};
