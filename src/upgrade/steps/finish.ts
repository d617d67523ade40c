import { describe, sentence } from '../../common/errors.ts';
import { fieldManager } from '../../common/field-manager.ts';
import type { PatchOperation, ResourceName } from '../../ports/cluster.ts';
import type { Outcome } from '../../journal/notes.ts';
import { removeProof } from '../backup/prove.ts';
import { dropLookAgain } from '../../objects/look-again.ts';
import { contentOf } from '../../storage/snapshot-content.ts';
import { planReclaimPolicy, restoreReclaimPolicy } from '../backup/reclaim-policy.ts';
import { dropToken, fencingTokenLabel } from '../../objects/fencing-token.ts';
import { removeAnchor } from '../server/anchor.ts';
import type { Context, Step } from '../contract/step.ts';

/** Removes what only the run needed, and every trace of our ownership from the user's objects. */
export const finish: Step = {
  id: 'finish',
  title: 'Clean up after the run',

  plan: ({ target, record }) => [
    ...planReclaimPolicy(target, 'Retain', record.reclaimPolicy),
    {
      does: 'run',
      what: `Remove the label ${fencingTokenLabel} and the entries "${fieldManager}" in metadata.managedFields from every object that was changed. Delete the temporary objects.`,
    },
  ],

  async run(context) {
    await restoreReclaimPolicy(context);
    await removeTraces(context);
    await removeProof(context);
    await removeAnchor(context);
  },
};

/**
 * A field that we changed and still own makes the user's next `helm upgrade`
 * fail with a conflict (helm 4 applies on the server side). Without our entry
 * in metadata.managedFields nobody owns the field, and helm can own it again.
 * Decision: docs/decisions/0012-rights.md
 */
export async function removeTraces(context: Context): Promise<void> {
  const { target, journal } = context;
  await removeFrom(context, [
    ['statefulsets', target.name],
    ['pods', target.podName],
    ...journal.record.applications.map((w): [ResourceName, string] => [w.resource, w.name]),
    ...volumesOf(journal),
    ...claims(journal).map((name): [ResourceName, string] => ['persistentvolumeclaims', name]),
    ...(await contents(context)),
  ]);
}

/** Closes the journal. Its last change too is counted on the volume, so the traces there are removed after it. */
export async function closeJournal(context: Context, outcome: Outcome): Promise<void> {
  await context.journal.note('outcome', outcome);
  await removeFrom(context, volumesOf(context.journal));
}

async function removeFrom(context: Context, objects: readonly [ResourceName, string][]): Promise<void> {
  const { results } = context;
  await Promise.all(
    objects.map(async ([resource, name]) => {
      try {
        await removeEntries(context, resource, name);
      } catch (error) {
        results.warnings.push(
          `The action could not remove its entry "${fieldManager}" from metadata.managedFields of ${resource}/${name}: ${sentence(describe(error))} If the next helm upgrade reports a conflict, use --force-conflicts.`,
        );
      }
    }),
  );
}

function volumesOf({ record, noted: { exchange } }: Context['journal']): [ResourceName, string][] {
  const names = exchange === undefined ? [record.volume] : [exchange.former, exchange.volume];
  return names.map((name) => ['persistentvolumes', name]);
}

/** The server's claim is created again if it gets another volume; otherwise nothing changes it. */
function claims({ record, noted }: Context['journal']): string[] {
  return noted.exchange === undefined ? [] : [record.claim];
}

/** Of the snapshots that stay. What can't be found keeps a label, which nobody minds. */
async function contents(context: Context): Promise<[ResourceName, string][]> {
  const { cluster, target, journal } = context;
  if (journal.record.backup.kind !== 'snapshot') return [];
  const names = [journal.noted.backup, journal.noted.served].flatMap((name) => name ?? []);
  const found = names.map(async (name): Promise<[ResourceName, string][]> => {
    try {
      const snapshot = await cluster.find('volumesnapshots', name, target.namespace);
      const content = snapshot && (await contentOf(context, snapshot));
      return content === undefined ? [] : [['volumesnapshotcontents', content.metadata.name]];
    } catch (error) {
      context.log.info(`Could not find the content of VolumeSnapshot ${name}: ${describe(error)}`);
      return [];
    }
  });
  return (await Promise.all(found)).flat();
}

/** Controllers write into the list too, so its indexes may move between reading and writing. */
const attempts = 5;

async function removeEntries({ cluster, target }: Context, resource: ResourceName, name: string): Promise<void> {
  let failure: unknown = new Error(`the entry still exists after ${String(attempts)} attempts`);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const now = (await cluster.find(resource, name, target.namespace)) as
      | {
          metadata?: {
            managedFields?: { manager?: string }[];
            labels?: Record<string, string>;
            annotations?: Record<string, string>;
          };
        }
      | undefined;
    const entries = now?.metadata?.managedFields ?? [];
    const ours = entries.flatMap((entry, index) => (entry.manager === fieldManager ? [index] : []));
    const marks = [...dropToken(now), ...dropLookAgain(now)];
    if (ours.length === 0 && marks.length === 0) return;
    // From the last to the first, so that the earlier indexes stay right.
    const operations = [
      ...marks,
      ...ours.toReversed().flatMap((index): PatchOperation[] => [
        { op: 'test', path: `/metadata/managedFields/${String(index)}/manager`, value: fieldManager },
        { op: 'remove', path: `/metadata/managedFields/${String(index)}` },
      ]),
    ];
    try {
      await cluster.patch(resource, name, target.namespace, operations);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
