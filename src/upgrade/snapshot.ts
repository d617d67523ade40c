import { ClusterError } from '../errors.ts';
import { waitFor } from '../wait.ts';
import { snapshotObject } from './snapshot-object.ts';
import type { Context, Step } from './step.ts';

/** Takes a snapshot of the cleanly stopped, detached volume. It is never deleted by an upgrade, also not by a failed one. */
export const takeSnapshot: Step = {
  id: 'snapshot',
  title: 'Take a snapshot of the volume',

  async run(context) {
    const { cluster, target, inputs, log, results } = context;
    const name = await begin(context);
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

/** The name is in the journal before the object is made, so that no snapshot is forgotten and none is taken twice. */
async function begin({ cluster, target, snapshotClass, journal, log, clock }: Context): Promise<string> {
  const { namespace } = target;
  const earlier = journal.noted.snapshot ?? '';
  if (earlier !== '' && (await cluster.find('volumesnapshots', earlier, namespace)) !== undefined) {
    log.info(`VolumeSnapshot ${earlier} has been asked for already`);
    return earlier;
  }
  const suffix = clock.now().toISOString().replace(/\D/g, '').slice(0, 14);
  const object = snapshotObject(target, suffix, snapshotClass);
  await journal.note('snapshot', object.metadata.name);
  await cluster.create('volumesnapshots', object, { namespace });
  return object.metadata.name;
}
