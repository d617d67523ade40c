import type { V1ContainerState, V1ContainerStatus, V1PodStatus } from '@kubernetes/client-node';
import { anchorName } from '../../../src/objects/anchor.ts';
import { copyJobName } from '../../../src/objects/copy-job.ts';
import { bootJobName, jobName } from '../../../src/objects/upgrade-job.ts';
import { namespace } from '../objects.ts';
import type { Setting } from './context.ts';

export const revertName = `${jobName}-revert`;

/** The state of a container that ended with a result of the Job's script. */
export function ending(exitCode: number, result: Readonly<Record<string, unknown>> = {}): V1ContainerState {
  const message = JSON.stringify({
    schema: 1,
    command: 'upgrade',
    outcome: exitCode === 0 ? 'upgraded' : 'failed',
    state: 'old',
    step: 'Run pg_upgrade',
    message: exitCode === 0 ? 'done' : 'lc_collate values for database "postgres" do not match',
    oldVersion: '12.16',
    newVersion: '14.22',
    transfer: 'link',
    ...result,
  });
  return { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', message } };
}

/** Does what the Job controller and the kubelet do: each Job gets one pod, which is in the state given for it by its name, or by its name and command. */
export function controlJobs({ cluster }: Setting, states: Readonly<Record<string, V1ContainerState>>): void {
  cluster.hooks.push(() => {
    for (const job of cluster.lookAtAll('jobs')) {
      const { name = '', uid } = job.metadata ?? {};
      const command = job.spec?.template.spec?.containers[0]?.command?.at(-1) ?? '';
      const state = states[`${name} ${command}`] ?? states[name] ?? usual[name];
      if (state === undefined) continue;
      if (uid === undefined || cluster.look('pods', `${name}-${uid}`, namespace) !== undefined) continue;
      const { containers = [{ name: 'pg-upgrade' }], initContainers = [] } = job.spec?.template.spec ?? {};
      cluster
        .put('jobs', { ...job, status: state.terminated === undefined ? { active: 1 } : { failed: 1 } })
        .put('pods', {
          metadata: { name: `${name}-${uid}`, namespace, labels: { 'batch.kubernetes.io/controller-uid': uid } },
          ...(job.spec?.template.spec === undefined ? {} : { spec: { ...job.spec.template.spec, nodeName: 'node-1' } }),
          status: name === anchorName ? asleep(initContainers, containers, state) : status(containers, state),
        });
    }
    // The garbage collector takes the anchor with its Job, on whose other pods tests have a word of their own.
    if (cluster.lookAtAll('jobs').some(({ metadata }) => metadata?.name === anchorName)) return;
    for (const { metadata } of cluster.lookAtAll('pods'))
      if (metadata?.name?.startsWith(`${anchorName}-`) === true) cluster.remove('pods', metadata.name, namespace);
  });
}

interface Named {
  readonly name: string;
}

function status(containers: readonly Named[], state: V1ContainerState): V1PodStatus {
  return { phase: phaseOf(state), containerStatuses: containers.map((one) => statusOf(one, state)) };
}

/** The last init container is in the state, and the containers wait for it. */
function asleep(before: readonly Named[], containers: readonly Named[], state: V1ContainerState): V1PodStatus {
  const completed = { terminated: { exitCode: 0, reason: 'Completed' } };
  return {
    phase: state.terminated === undefined ? 'Pending' : phaseOf(state),
    initContainerStatuses: before.map((one, at) => statusOf(one, at < before.length - 1 ? completed : state)),
    containerStatuses: containers.map((one) => statusOf(one, { waiting: { reason: 'PodInitializing' } })),
  };
}

function statusOf({ name }: Named, state: V1ContainerState): V1ContainerStatus {
  const made = state.waiting === undefined ? { containerID: 'containerd://made' } : {};
  return { name, image: '', imageID: '', ready: false, restartCount: 0, state, ...made };
}

function phaseOf({ terminated, running }: V1ContainerState): string {
  if (terminated !== undefined) return terminated.exitCode === 0 ? 'Succeeded' : 'Failed';
  return running === undefined ? 'Pending' : 'Running';
}

/** Does what the garbage collector does: the pods of Jobs that are gone go too. */
export function collectPods({ cluster }: Setting): void {
  cluster.hooks.push(() => {
    for (const { metadata } of cluster.lookAtAll('pods')) {
      const controller = metadata?.labels?.['batch.kubernetes.io/controller-uid'];
      const orphan =
        controller !== undefined && !cluster.lookAtAll('jobs').some((job) => job.metadata?.uid === controller);
      if (orphan) cluster.remove('pods', metadata?.name ?? '', namespace);
    }
  });
}

/** Of a Job that started 12 on a copy of the volume. */
const booted = ending(0, {
  ...{ command: 'boot', outcome: 'booted', message: 'PostgreSQL 12.16 starts on the copy', walEnd: '0/15000A0' },
});

/** Of a Job that copied a volume, or tried what a copy needs. */
const copied = ending(0, {
  ...{ command: 'copy', outcome: 'copied', message: '9 files, 64 MiB, are on the copy', seconds: { write: 1 } },
});

/** How the pods of Jobs are on which a test has no word. */
const usual: Readonly<Record<string, V1ContainerState>> = {
  [bootJobName]: booted,
  [copyJobName]: copied,
  [anchorName]: { running: {} },
};

/** Of a Job that takes nothing back, since PostgreSQL 14 was started on the volume. */
export function served(transfer: string): V1ContainerState {
  return ending(13, { command: 'revert', outcome: 'served', message: 'the checkpoint of 14 has moved', transfer });
}
