import { ClusterError } from '../../common/errors.ts';
import { jobName, upgradeJob, type JobSettings } from '../../objects/upgrade-job.ts';
import { copyClaim, copyName } from '../../objects/copy.ts';
import { snapshotObject } from '../../objects/snapshot.ts';
import { journalName } from '../../objects/journal-name.ts';
import { journalObject } from '../../journal/object.ts';
import type { SnapshotClassFacts } from '../../facts/facts.ts';
import type { Known } from '../../common/known.ts';
import type { FactReaderDeps } from './deps.ts';

/** Dry runs of everything that the upgrade creates. The pod of the Job is one of its own: Pod Security admits the Job and refuses the pod. */
export async function refusedObjects(
  { cluster, target, inputs, scripts }: FactReaderDeps,
  settings: JobSettings,
  snapshotClass: Known<SnapshotClassFacts>,
): Promise<string[]> {
  const { namespace } = target;
  const job = upgradeJob(target, settings, 'upgrade', scripts.job);
  const template = job.spec?.template;
  const pod = {
    metadata: { ...template?.metadata, namespace, name: `${jobName}-dry-run` },
    spec: template?.spec ?? { containers: [] },
  };
  const tries: [string, () => Promise<unknown>][] = [
    // A generated name: an ended Job of an earlier try is no refusal.
    [
      'the Job',
      () => cluster.dryRun('jobs', { ...job, metadata: { ...job.metadata, name: `${jobName}-dry-run` } }, namespace),
    ],
    ['the pod of the Job', () => cluster.dryRun('pods', pod, namespace)],
    [
      'the ConfigMap of the journal',
      () => {
        const { metadata } = journalObject(namespace, {});
        return cluster.dryRun('configmaps', { metadata: { ...metadata, name: `${journalName}-dry-run` } }, namespace);
      },
    ],
  ];
  const className = snapshotClass.known ? snapshotClass.value.chosen?.metadata.name : undefined;
  if (inputs.backup !== 'external') {
    const source = { kind: 'PersistentVolumeClaim', name: target.volume.claimName } as const;
    const claim = copyClaim(target, `${copyName(target)}-dry-run`, inputs.backup === 'copy' ? undefined : source);
    tries.push(['the claim of a copy', () => cluster.dryRun('persistentvolumeclaims', claim, namespace)]);
  }
  if (inputs.backup === 'snapshot' && className !== undefined)
    tries.push([
      'the VolumeSnapshot',
      () =>
        cluster.dryRun('volumesnapshots', snapshotObject(target, 'before-upgrade', 'dry-run', className), namespace),
    ]);
  const answers = await Promise.all(
    tries.map(async ([what, attempt]) => {
      try {
        await attempt();
        return [];
      } catch (error) {
        if (isRefusal(error)) return [`${what}: ${error.message}`];
        throw error;
      }
    }),
  );
  return answers.flat();
}

const refusals: readonly ClusterError['code'][] = ['forbidden', 'invalid', 'refused', 'conflict'];

/** Only a refusal of the object itself is an answer. Without the right, or at a webhook that supports no dry runs, the object was not judged. */
function isRefusal(error: unknown): error is ClusterError {
  if (!(error instanceof ClusterError)) return false;
  const isAnswer = refusals.includes(error.code);
  return isAnswer && !/ cannot create resource |does not support dry run/.test(error.message);
}
