// What a rehearsal leaves that was killed while its upgrade Job was at work: each kind of object that it makes, and the result of the one before.
import { ofRehearsal } from '../../../src/journal/seal.ts';
import {
  marked,
  rehearsalClaim,
  rehearsalJob,
  rehearsalJobName,
  rehearsalName,
  rehearsalPodName,
  rehearsalRecordName,
  rehearsalSnapshot,
} from '../../../src/objects/rehearsal.ts';
import type { Target } from '../../../src/target/target.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { namespace } from '../objects.ts';
import { recordOf } from '../upgrade/context.ts';
import { seal } from '../upgrade/sealed.ts';

export const claimOfRehearsal = 'data-postgresql-0-rehearsal';

/** As a cleanup lists them, with the bytes of each. */
export const ofRehearsal12: readonly (readonly [string, string, number?])[] = [
  ['Pod', rehearsalPodName(12)],
  ['Job', rehearsalJobName('upgrade')],
  ['PersistentVolumeClaim', claimOfRehearsal, 9 * 2 ** 30],
  ['VolumeSnapshot', claimOfRehearsal, 7 * 2 ** 30],
  ['ConfigMap', rehearsalRecordName],
];

/** Puts it there; the storage has made the copy and the snapshot. */
export async function leaveRehearsal(cluster: FakeCluster, target: Target): Promise<void> {
  const mark = { runId: 'https://github.example/o/r/actions/runs/1/attempts/1', begunAt: cluster.time() };
  const name = rehearsalName(target);
  const settings = { ...recordOf(target).job, runId: 'rehearsal-1' };
  const job = rehearsalJob(target, settings, { 'upgrade.sh': 'echo' }, 'upgrade', { mark, followsServer: true });
  const wanted = rehearsalClaim(target, { kind: 'VolumeSnapshot', name }, mark);
  const [uid, volumeName, content] = [`uid-of-${name}`, 'pv-of-rehearsal', `content-of-${name}`];
  const snapshot = rehearsalSnapshot(target, 'csi-class', mark);
  const record = await seal.for(ofRehearsal).sign(namespace, { record: '{}', salt: seal.newSalt() });
  cluster
    .put('pods', {
      metadata: { name: rehearsalPodName(12), namespace, ...marked({}, mark) },
      spec: { containers: [], activeDeadlineSeconds: 21_600 },
    })
    .put('jobs', { ...job, status: { active: 1 } })
    .put('persistentvolumes', {
      metadata: { name: volumeName, uid: 'uid-of-its-volume' },
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        capacity: { storage: '9Gi' },
        claimRef: { name, namespace, uid },
      },
      status: { phase: 'Bound' },
    })
    .put('persistentvolumeclaims', {
      ...wanted,
      metadata: { ...wanted.metadata, uid },
      spec: { ...wanted.spec, volumeName },
      status: { phase: 'Bound' },
    })
    .put('volumesnapshotcontents', {
      metadata: { name: content, uid: 'uid-of-its-content' },
      spec: { deletionPolicy: 'Retain', volumeSnapshotRef: { name, namespace, uid: 'uid-of-its-snapshot' } },
      status: { snapshotHandle: 'handle' },
    })
    .put('volumesnapshots', {
      ...snapshot,
      metadata: { ...snapshot.metadata, uid: 'uid-of-its-snapshot', creationTimestamp: cluster.time().toISOString() },
      status: { readyToUse: true, boundVolumeSnapshotContentName: content, restoreSize: '7Gi' },
    })
    .put('configmaps', { metadata: { name: rehearsalRecordName, namespace }, data: record });
}
