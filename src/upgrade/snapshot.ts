import { ClusterError } from '../errors.ts';
import { waitFor } from '../wait.ts';
import { snapshotObject } from './snapshot-object.ts';
import type { Step } from './step.ts';

/** Takes a snapshot of the cleanly stopped, detached volume. It is never deleted by an upgrade, also not by a failed one. */
export const takeSnapshot: Step = {
  id: 'snapshot',
  title: 'Take a snapshot of the volume',

  async run(context) {
    const { cluster, target, inputs, journal, log, clock, results } = context;
    const suffix = clock.now().toISOString().replace(/\D/g, '').slice(0, 14);
    const object = snapshotObject(target, suffix, context.snapshotClass);
    const { name } = object.metadata;
    await cluster.create('volumesnapshots', object, { namespace: target.namespace });
    await journal.note('snapshot', name);
    await waitFor(
      {
        what: `VolumeSnapshot ${name} to be ready`,
        limit: inputs.snapshotTimeout,
        limitInput: 'snapshot-timeout',
        ...context,
      },
      async () => {
        const now = await cluster.find('volumesnapshots', name, target.namespace);
        if (now === undefined)
          throw new ClusterError(
            'snapshot-gone',
            `VolumeSnapshot ${name} was deleted by somebody else.`,
            'Find out who deletes snapshots in this namespace.',
          );
        if (now.status?.readyToUse === true) return { done: undefined };
        return { pending: now.status?.error?.message ?? 'not ready to use yet' };
      },
    );
    results.snapshot = name;
    log.info(`VolumeSnapshot ${name} is ready to use`);
  },
};
