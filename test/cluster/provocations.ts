// What makes checks about layout, storage, nodes, admission and release find something on a real server, and how it is taken back.
import { chownSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { policy, refusingJobs, silentWebhook, webhook } from './admission.ts';
import { apply, bench, kubectl, kubectlJson, namespace, psql } from './bench.ts';

const inNamespace = (...args: string[]) => kubectl('-n', namespace, ...args);
const inServer = (command: string) => inNamespace('exec', 'postgresql-0', '--', 'sh', '-c', command);
const patch = (object: string, ...operations: object[]) =>
  inNamespace('patch', object, '--type=json', `--patch=${JSON.stringify(operations)}`);
const root = '/bitnami/postgresql';
const template = '/spec/template/spec';
const serverUser = `${template}/containers/0/securityContext/runAsUser`;
const podSecurity = 'pod-security.kubernetes.io/enforce';
/** A class of our own, which can be deleted. */
export const className = `${namespace}-disk`;

export const storageClass = (more: object) => ({
  ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: className } },
  ...{ provisioner: 'disk.csi.bench', parameters: { filesystem: 'ext4' }, volumeBindingMode: 'WaitForFirstConsumer' },
  ...more,
});

export interface Case {
  readonly check: string;
  readonly what: string;
  readonly status: 'failed' | 'warning' | 'unknown';
  readonly provoke: () => void;
  readonly takeBack: () => void;
  readonly inputs?: Record<string, string>;
  readonly evidence: RegExp;
  readonly remedy: RegExp;
  /** Checks that would see something else meanwhile. */
  readonly disturbs?: readonly string[];
}

export const cases: readonly Case[] = [
  {
    ...{ check: 'statefulset', what: 'a second replica', status: 'failed' },
    provoke: () => inNamespace('scale', 'statefulset', 'postgresql', '--replicas=2'),
    takeBack() {
      inNamespace('scale', 'statefulset', 'postgresql', '--replicas=1');
      inNamespace('delete', 'pod', 'postgresql-1', '--now', '--ignore-not-found');
      inNamespace('delete', 'pvc', 'data-postgresql-1', '--ignore-not-found');
    },
    ...{ evidence: /has 2 replicas/, remedy: /Scale the StatefulSet to 1/ },
  },
  {
    ...{ check: 'layout-mount', what: 'a directory of the volume in the place of the volume', status: 'failed' },
    provoke: () =>
      patch('statefulset/postgresql', { op: 'add', path: `${mountOfData()}/subPath`, value: 'postgresql' }),
    takeBack: () => patch('statefulset/postgresql', { op: 'remove', path: `${mountOfData()}/subPath` }),
    ...{ evidence: /mounted with subPath postgresql/, remedy: /without subPath/ },
  },
  {
    ...{ check: 'layout-data-directory', what: 'another directory than the server has', status: 'failed' },
    provoke() {
      inServer(`cp -r ${root}/data ${root}/other`);
      inNamespace('set', 'env', 'statefulset/postgresql', `PGDATA=${root}/other`);
    },
    takeBack() {
      inNamespace('set', 'env', 'statefulset/postgresql', `PGDATA=${root}/data`);
      inServer(`rm -rf ${root}/other`);
    },
    ...{ evidence: /the StatefulSet says \/bitnami\/postgresql\/other/, remedy: /Set PGDATA/ },
    disturbs: ['layout-user'],
  },
  {
    ...{ check: 'layout-user', what: 'a file of somebody else', status: 'failed' },
    provoke() {
      const file = path.join(volumePath(), 'data/foreign');
      writeFileSync(file, '');
      chownSync(file, 999, 999);
    },
    takeBack: () => inServer(`rm -f ${root}/data/foreign`),
    ...{ evidence: /not owned by the server: \/bitnami\/postgresql\/data\/foreign/, remedy: /chown/ },
  },
  {
    ...{ check: 'free-space', what: 'a full volume of a class whose volumes stay as they are', status: 'failed' },
    provoke: fill,
    takeBack: () => inServer(`rm ${root}/ballast`),
    evidence: /MiB free, about \d+ MiB needed/,
    remedy: new RegExp(
      `does not allow that[^]*In a shell:\\nkubectl patch storageclass ${className} -p '{"allowVolumeExpansion":true}'\\nkubectl -n \\S+ patch persistentvolumeclaim data-postgresql-0 -p '[^']+'$`,
    ),
  },
  {
    ...{ check: 'free-space', what: 'a full volume that can be enlarged', status: 'failed' },
    provoke() {
      fill();
      apply(storageClass({ allowVolumeExpansion: true }));
    },
    takeBack() {
      inServer(`rm ${root}/ballast`);
      apply(storageClass({ allowVolumeExpansion: false }));
    },
    evidence: /MiB free, about \d+ MiB needed/,
    remedy:
      /^Enlarge the PersistentVolumeClaim\.\nIn a shell:\nkubectl -n \S+ patch persistentvolumeclaim data-postgresql-0 -p '[^']+'$/,
  },
  {
    ...{ check: 'free-space', what: 'a volume without inodes', status: 'failed' },
    // As many files as leave a thousand.
    provoke: () =>
      inServer(
        `mkdir ${root}/many && cd ${root}/many && seq $(($(df -Pi . | awk 'NR == 2 { print $4 }') - 1000)) | xargs touch`,
      ),
    takeBack: () => inServer(`rm -rf ${root}/many`),
    ...{ evidence: /inodes free, about \d+ needed/, remedy: /Remove files/ },
  },
  {
    ...{ check: 'replication-slots', what: 'a slot', status: 'failed' },
    provoke: () => psql(namespace, 'postgres', "SELECT pg_create_physical_replication_slot('standby')"),
    takeBack: () => psql(namespace, 'postgres', "SELECT pg_drop_replication_slot('standby')"),
    ...{ evidence: /slot standby/, remedy: /pg_drop_replication_slot/ },
  },
  {
    ...{ check: 'admission', what: 'a quota that has no room for a snapshot', status: 'failed' },
    provoke: () => inNamespace('create', 'quota', 'tight', '--hard=count/volumesnapshots.snapshot.storage.k8s.io=0'),
    takeBack: () => inNamespace('delete', 'quota', 'tight'),
    ...{ evidence: /the VolumeSnapshot: .*exceeded quota: tight/, remedy: /quota/ },
  },
  {
    ...{ check: 'admission', what: 'a quota that has no room for a copy of the volume', status: 'failed' },
    provoke: () => inNamespace('create', 'quota', 'tight', '--hard=requests.storage=1Mi'),
    takeBack: () => inNamespace('delete', 'quota', 'tight'),
    ...{ evidence: /the claim of a copy: .*exceeded quota: tight/, remedy: /quota/ },
  },
  {
    ...{ check: 'admission', what: 'a limit that the resources of the Job are above', status: 'failed' },
    provoke: () => {
      apply({
        ...{ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'small', namespace } },
        spec: { limits: [{ type: 'Container', max: { memory: '64Mi' } }] },
      });
    },
    takeBack: () => inNamespace('delete', 'limitrange', 'small'),
    ...{ evidence: /the pod of the Job: .*maximum memory usage per Container is 64Mi/, remedy: /"resources"/ },
  },
  {
    ...{ check: 'admission', what: 'a policy that refuses Jobs', status: 'failed' },
    provoke: () => {
      apply(...refusingJobs());
    },
    takeBack() {
      for (const kind of ['validatingadmissionpolicybinding', 'validatingadmissionpolicy'])
        kubectl('delete', kind, policy);
    },
    ...{ evidence: /the Job: .*no Jobs here/, remedy: /policy/ },
  },
  {
    ...{ check: 'admission', what: 'Pod Security that lets no pod of the user of the server in', status: 'failed' },
    provoke() {
      kubectl('label', 'namespace', namespace, `${podSecurity}=restricted`, '--overwrite');
      patch('statefulset/postgresql', { op: 'replace', path: serverUser, value: 0 });
    },
    takeBack() {
      patch('statefulset/postgresql', { op: 'replace', path: serverUser, value: 1001 });
      // As the bench makes it.
      kubectl('label', 'namespace', namespace, `${podSecurity}=privileged`, '--overwrite');
    },
    // Enforcement looks at pods alone: the Job itself is let in.
    ...{ evidence: /^the pod of the Job: .*violates PodSecurity "restricted:latest": runAsUser=0/, remedy: /policy/ },
  },
  {
    ...{ check: 'admission', what: 'a webhook that does not answer', status: 'unknown' },
    provoke: () => {
      apply(silentWebhook());
    },
    takeBack: () => kubectl('delete', 'validatingwebhookconfiguration', webhook),
    ...{ evidence: /failed calling webhook "silent\.bench\.local"/, remedy: /Look at the API server's health/ },
  },
  {
    ...{ check: 'volume-snapshot', what: 'a class that is not there', status: 'failed' },
    provoke: () => undefined,
    takeBack: () => undefined,
    ...{ inputs: { 'volume-snapshot-class': 'nowhere' }, evidence: /no VolumeSnapshotClass nowhere/ },
    remedy: /"volume-snapshot-class"/,
    disturbs: ['admission'],
  },
  {
    ...{ check: 'storage-class', what: 'that it was deleted', status: 'failed' },
    provoke: () => kubectl('delete', 'storageclass', className),
    takeBack: () => {
      apply(storageClass({}));
    },
    ...{ evidence: /which does not exist any more/, remedy: /Create StorageClass \S+ again/ },
    disturbs: ['free-space'],
  },
  {
    ...{ check: 'placement', what: 'a node selector that no node has', status: 'failed' },
    provoke: () =>
      patch('statefulset/postgresql', { op: 'add', path: `${template}/nodeSelector`, value: { disk: 'of-nobody' } }),
    takeBack: () => patch('statefulset/postgresql', { op: 'remove', path: `${template}/nodeSelector` }),
    ...{ evidence: /0 of 0 nodes that can attach the volume/, remedy: /tolerations and a matching node selector/ },
  },
  {
    ...{
      check: 'placement',
      what: 'that the autoscaler would remove the node, and who waits for the pod',
      status: 'warning',
    },
    provoke() {
      // One that only asks: pods go there all the same.
      kubectl(
        'taint',
        'node',
        nodeOfServer(),
        'DeletionCandidateOfClusterAutoscaler=1:PreferNoSchedule',
        '--overwrite',
      );
      inNamespace(
        ...['create', 'poddisruptionbudget', 'keep', '--min-available=1'],
        '--selector=app.kubernetes.io/name=postgresql',
      );
      inNamespace('wait', '--for=jsonpath={.status.currentHealthy}=1', 'pdb/keep', '--timeout=1m');
    },
    takeBack() {
      kubectl('taint', 'node', nodeOfServer(), 'DeletionCandidateOfClusterAutoscaler-');
      inNamespace('delete', 'pdb', 'keep');
    },
    evidence: /autoscaler removes it[^]*PodDisruptionBudget keep makes a drain wait for the server's pod/,
    remedy: /kubectl uncordon/,
  },
  {
    ...{ check: 'operator', what: 'an owner that controls it', status: 'failed' },
    provoke() {
      inNamespace('create', 'configmap', 'operator');
      const uid = inNamespace('get', 'configmap', 'operator', '-o', 'jsonpath={.metadata.uid}');
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'operator', uid, controller: true };
      patch('statefulset/postgresql', { op: 'add', path: '/metadata/ownerReferences', value: [owner] });
    },
    takeBack() {
      patch('statefulset/postgresql', { op: 'remove', path: '/metadata/ownerReferences' });
      inNamespace('delete', 'configmap', 'operator');
    },
    ...{ evidence: /controlled by ConfigMap operator/, remedy: /by means of its operator/ },
  },
  {
    ...{ check: 'server-release', what: 'an application of an older release', status: 'failed' },
    provoke: () => inNamespace('label', '--overwrite', 'deployment/frontend', 'helm.sh/chart=circleci-server-4.8.7'),
    takeBack: () => inNamespace('label', '--overwrite', 'deployment/frontend', 'helm.sh/chart=circleci-server-4.9.0'),
    ...{ evidence: /has chart circleci-server-4\.8\.7/, remedy: /Upgrade CircleCI Server to 4\.9 first/ },
  },
  {
    ...{ check: 'server-release', what: 'that no label tells it', status: 'warning' },
    provoke: () =>
      inNamespace('label', 'deployments,statefulsets,cronjobs', '-l', 'layer=application', 'helm.sh/chart-'),
    takeBack: () =>
      inNamespace('label', 'deployments', '-l', 'layer=application', 'helm.sh/chart=circleci-server-4.9.0'),
    ...{ evidence: /helm\.sh\/chart/, remedy: /`helm -n \S+ list`/ },
  },
];

/** Cases that don't get into the way of one another, by what is provoked in them. */
export const batches: readonly (readonly [string, Case[]])[] = inBatches(cases);

function inBatches(all: readonly Case[]): [string, Case[]][] {
  const touched = ({ check, disturbs = [] }: Case) => [check, ...disturbs];
  const found: Case[][] = [];
  for (const one of all) {
    const batch = found.find(
      (others) => !others.some((other) => touched(other).includes(one.check) || touched(one).includes(other.check)),
    );
    if (batch === undefined) found.push([one]);
    else batch.push(one);
  }
  return found.map((batch) => [batch.map(({ what }) => what).join('; '), batch]);
}

function mountOfData(): string {
  const text = inNamespace(
    ...['get', 'statefulset', 'postgresql', '-o', 'jsonpath={.spec.template.spec.containers[0].volumeMounts}'],
  );
  const index = (JSON.parse(text) as { mountPath: string }[]).findIndex(({ mountPath }) => mountPath === root);
  return `${template}/containers/0/volumeMounts/${String(index)}`;
}

function volumePath(): string {
  return bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim();
}

function nodeOfServer(): string {
  return (kubectlJson('-n', namespace, 'get', 'pod', 'postgresql-0') as V1Pod).spec?.nodeName ?? '';
}

/** All but 100 MiB of the volume. */
function fill(): void {
  const free = Number(inServer(`df -Pk ${root} | awk 'NR == 2 { print $4 }'`));
  inServer(`fallocate -l ${String(free - 100 * 1024)}K ${root}/ballast`);
}

/** What lies in no namespace, in case that a run ended in the middle. */
export function removeClusterWide(): void {
  kubectl('delete', 'storageclass', className, '--ignore-not-found');
  kubectl('delete', 'validatingwebhookconfiguration', webhook, '--ignore-not-found');
  for (const kind of ['validatingadmissionpolicybinding', 'validatingadmissionpolicy'])
    kubectl('delete', kind, policy, '--ignore-not-found');
}
