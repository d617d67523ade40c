// The storage or the API server refuses in the downtime what it allowed before: faults that begin after the checks and the proof of the backup. They are
// made with classes and policies of this campaign's own, so that no other server of the cluster has them.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { anchorName } from '../../../src/objects/anchor.ts';
import { saysInLog, startAction } from '../../cluster/action.ts';
import { apply, kubectl, kubectlJson } from '../../cluster/bench.ts';
import type { Case } from './campaign.ts';
import { downtimeAlone, expectUpgraded, expectWhole, expireLease, namespace, newServer, said } from './world.ts';

const own = `${namespace}-faults`;

/** What can be made and is removed again after the case. */
interface Refusal {
  readonly name: string;
  /** Before the run. */
  readonly prepare?: readonly object[];
  readonly inputs?: Readonly<Record<string, string>>;
  /** The heading in the log at which it strikes. */
  readonly at: string;
  readonly strike: () => unknown;
  /** The heading of the way back at which it ends, where the way back needs that. */
  readonly endsAt?: string;
  readonly end: () => unknown;
  /** What the message has to say. */
  readonly says: RegExp;
}

const snapshotClass = (driver: string) => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotClass',
  metadata: { name: own },
  driver,
  deletionPolicy: 'Delete',
});
const quota = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: own, namespace },
  spec: { hard: { 'count/jobs.batch': '0' } },
};
const policy = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: own },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
    },
    validations: [
      {
        expression: "!(has(object.metadata.labels) && 'batch.kubernetes.io/job-name' in object.metadata.labels)",
        message: 'pods of Jobs are not allowed here',
      },
    ],
  },
};
const binding = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: own },
  spec: { policyName: own, validationActions: ['Deny'] },
};

const refusals: readonly Refusal[] = [
  {
    name: 'a snapshot that never gets ready: nobody serves the driver of its class',
    prepare: [snapshotClass('disk.csi.bench')],
    inputs: { 'volume-snapshot-class': own, 'snapshot-timeout': '20s' },
    at: 'Set the scheduling gate and stop PostgreSQL',
    strike: () => {
      kubectl('delete', 'volumesnapshotclass', own);
      apply(snapshotClass('nobody.example.com'));
    },
    end: () => {
      kubectl('delete', 'volumesnapshotclass', own);
      apply(snapshotClass('disk.csi.bench'));
      forgetContentsOf('nobody.example.com');
    },
    says: /waiting for VolumeSnapshot \S+ to be (cut|ready): .*snapshot-timeout/s,
  },
  {
    name: 'a snapshot that fails: its class is gone',
    prepare: [snapshotClass('disk.csi.bench')],
    inputs: { 'volume-snapshot-class': own, 'snapshot-timeout': '20s' },
    at: 'Set the scheduling gate and stop PostgreSQL',
    strike: () => kubectl('delete', 'volumesnapshotclass', own),
    // Without its class the snapshot controller removes no snapshot either.
    end: () => {
      apply(snapshotClass('disk.csi.bench'));
    },
    says: new RegExp(`VolumeSnapshot \\S+ to be (cut|ready): .*${own}`, 's'),
  },
  {
    name: 'a volume that is not detached: its VolumeAttachment has a finalizer',
    inputs: { 'detach-timeout': '15s' },
    at: 'Stop the applications',
    strike: () => {
      setFinalizers([...finalizers(), 'example.com/stuck']);
      withoutAnchor();
    },
    endsAt: 'Start PostgreSQL 12',
    end: () => {
      setFinalizers(finalizers().filter((name) => name !== 'example.com/stuck'));
    },
    says: /to be detached: .*detach-timeout/s,
  },
  {
    name: 'a quota that admits no Job',
    at: 'Stop the applications',
    strike: () => {
      apply(quota);
    },
    end: () => kubectl('-n', namespace, 'delete', 'resourcequota', own),
    says: new RegExp(`exceeded quota: ${own}`),
  },
  {
    name: 'a policy that admits no pod of a Job',
    inputs: { 'job-start-timeout': '20s' },
    at: 'Stop the applications',
    strike: () => {
      apply(policy);
      apply(binding);
    },
    end: () => kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', own),
    says: /pods of Jobs are not allowed here/,
  },
  {
    name: 'a volume that is not attached to the node of the Job: nobody may make its VolumeAttachment',
    inputs: { 'job-start-timeout': '20s' },
    // A policy is in force about a second after it is made.
    at: 'Set the scheduling gate and stop PostgreSQL',
    strike: () => {
      apply(...noAttachmentOf(volumeName()));
      withoutAnchor();
    },
    endsAt: 'Start PostgreSQL 12',
    end: () => kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', own),
    says: /AttachVolume|attachments of this volume are not allowed here/,
  },
];

function noAttachmentOf(volume: string): object[] {
  return [
    {
      ...policy,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ['storage.k8s.io'],
              apiVersions: ['v1'],
              resources: ['volumeattachments'],
              operations: ['CREATE'],
            },
          ],
        },
        validations: [
          {
            expression: `object.spec.source.persistentVolumeName != '${volume}'`,
            message: 'attachments of this volume are not allowed here',
          },
        ],
      },
    },
    binding,
  ];
}

export const refusalCases: readonly Case[] = refusals.map((refusal) => ({
  campaign: 'refusals',
  name: refusal.name,
  async run(outcome) {
    const server = newServer();
    for (const manifest of refusal.prepare ?? []) apply(manifest);
    const inputs = { ...downtimeAlone, ...refusal.inputs };
    const action = startAction(inputs);
    await saysInLog(action, `::group::${refusal.at}`);
    refusal.strike();
    outcome.proof = `at "${action.log().trimEnd().split('\n').at(-1) ?? ''}"`;
    try {
      if (refusal.endsAt !== undefined) {
        await saysInLog(action, `::group::${refusal.endsAt}`);
        refusal.end();
      }
      const end = await action.end;
      outcome.seconds = end.seconds;
      assert.deepEqual([end.exitCode, end.outputs['verdict']], [1, 'reverted'], said(end));
      assert.match(`${end.report.error?.message ?? ''} ${end.report.error?.remedy.text ?? ''}`, refusal.says);
      outcome.proof += `; ${end.report.error?.message ?? ''}`;
    } finally {
      if (refusal.endsAt === undefined) refusal.end();
    }
    await snapshotsGone();
    expectWhole(outcome, server, '12');
    expireLease();
    await expectUpgraded(outcome, server, downtimeAlone, { upgrades: 2 });
  },
}));

/** A driver that is not there never lets go of what it was asked for. */
function forgetContentsOf(driver: string): void {
  const { items } = kubectlJson('get', 'volumesnapshotcontents') as {
    items: { metadata: { name: string }; spec: { driver: string } }[];
  };
  for (const { metadata } of items.filter(({ spec }) => spec.driver === driver)) {
    kubectl('delete', 'volumesnapshotcontent', metadata.name, '--wait=false');
    kubectl('patch', 'volumesnapshotcontent', metadata.name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  }
}

/** Those that were deleted while the storage did not answer go when it does again. */
async function snapshotsGone(): Promise<void> {
  for (let waited = 0; ; waited++) {
    // What csi-snapshotter was told while the class had another driver, or was gone, it leaves until the content changes.
    kubectl('annotate', 'volumesnapshotcontents', '--all', '--overwrite', `faults/look=${String(waited)}`);
    const { items } = kubectlJson('-n', namespace, 'get', 'volumesnapshots') as {
      items: { metadata: { name: string; deletionTimestamp?: string } }[];
    };
    const going = items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    if (going.length === 0) return;
    assert.ok(waited < 120, `still there: ${going.map(({ metadata }) => metadata.name).join(', ')}`);
    await sleep(1000);
  }
}

function volumeName(): string {
  return kubectl('-n', namespace, 'get', 'pvc', 'data-postgresql-0', '-o', 'jsonpath={.spec.volumeName}');
}

/** With the anchor the volume would be neither detached nor attached. */
function withoutAnchor(): void {
  kubectl('-n', namespace, 'delete', 'job', anchorName);
}

/** The attachment of the server's volume. */
function attachment(): { metadata: { name: string; finalizers?: string[] } } | undefined {
  const volume = volumeName();
  const { items } = kubectlJson('get', 'volumeattachments') as {
    items: { metadata: { name: string; finalizers?: string[] }; spec: { source: { persistentVolumeName: string } } }[];
  };
  return items.find((one) => one.spec.source.persistentVolumeName === volume);
}

function finalizers(): string[] {
  return attachment()?.metadata.finalizers ?? [];
}

function setFinalizers(names: string[]): void {
  const patch = JSON.stringify({ metadata: { finalizers: names } });
  kubectl('patch', 'volumeattachment', attachment()?.metadata.name ?? '', '--type', 'merge', '-p', patch);
}
