import type { V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { Timeline } from '../../../src/report/timeline.ts';
import { isReady } from '../../../src/upgrade/server/server-ready.ts';
import { serverImage } from '../../../src/target/target.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { isGated } from '../../../src/objects/scheduling-gate.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { jobSettings } from '../../../src/objects/job-settings.ts';
import type { RunCommands } from '../../../src/ports/commands.ts';
import type { Context } from '../../../src/upgrade/contract/step.ts';
import { uidsOf } from '../../../src/upgrade/upgrade.ts';
import { FakeClock } from '../fake-clock.ts';
import type { Call, FakeCluster } from '../fake-cluster.ts';
import { fakeDatabase, serverState, type ServerState } from '../fake-database.ts';
import { FakeLog } from '../fake-runner.ts';
import {
  cluster as namespaceWithServer,
  inputs as parsed,
  newImage,
  serverPod,
  target as targetOf,
} from '../objects.ts';
import { databases, server } from '../prechecks/facts.ts';
import { seal } from './sealed.ts';

/** For runs that are not to run any commands of the workflow. */
export const noCommands: RunCommands = () => Promise.reject(new Error('no commands were asked for'));

export interface Setting {
  readonly cluster: FakeCluster;
  readonly clock: FakeClock;
  readonly log: FakeLog;
  readonly cancelled: AbortController;
  readonly state: ServerState;
  readonly context: Context;
}

export function recordOf(target: Awaited<ReturnType<typeof targetOf>>): JournalRecord {
  return {
    schema: 4,
    runId: 'run-1',
    startedAt: '2026-01-02T03:04:05.000Z',
    statefulSet: target.name,
    claim: target.volume.claimName,
    uids: uidsOf(target),
    image: serverImage(target),
    serving: parsed().servingImage,
    replicas: target.replicas,
    applications: [...target.applications],
    volume: 'pv-1',
    reclaimPolicy: 'Delete',
    backup: { kind: 'snapshot', class: 'csi-class' },
    job: jobSettings(parsed(), server, databases),
  };
}

/** A context as the steps get it, with a journal just begun; calls so far are forgotten. */
export async function setUp(
  cluster: FakeCluster = namespaceWithServer(),
  given: Readonly<Record<string, string>> = {},
  record: Partial<JournalRecord> = {},
): Promise<Setting> {
  const inputs = parsed(given);
  const target = await targetOf();
  const clock = new FakeClock();
  const log = new FakeLog();
  const cancelled = new AbortController();
  const state = serverState();
  const journal = await Journal.begin(cluster, target.namespace, seal, { ...recordOf(target), ...record });
  cluster.calls.length = 0;
  const context: Context = {
    cluster,
    clock,
    log,
    signal: cancelled.signal,
    inputs,
    target,
    database: fakeDatabase(cluster, target, state),
    serving: inputs.servingImage,
    snapshotClass: 'csi-class',
    settings: { ...jobSettings(inputs, server, databases), runId: 'run-1' },
    scripts: { 'upgrade.sh': 'echo upgrade' },
    journal,
    timeline: new Timeline(clock),
    runCommands: noCommands,
    results: { warnings: [] },
  };
  return { cluster, clock, log, cancelled, state, context };
}

/**
 * Does what the StatefulSet controller does: one pod at replicas 1, none at 0, with the template's image and gates. A pod that is not ready it leaves as it
 * is, whatever the template says by now. And what its kubelet does: a pod that is to go does so when its server has ended.
 */
export function controlStatefulSet({ cluster, context, state }: Setting): void {
  const { name, namespace, podName } = context.target;
  const end: End = { looks: 0, endedAt: Infinity };
  cluster.hooks.push((call) => {
    const now = cluster.look('statefulsets', name, namespace);
    remember(cluster, now);
    if (call.method === 'patch') return;
    const template = now?.spec?.template.spec;
    const image = template?.containers[0]?.image ?? '';
    const pod = cluster.look('pods', podName, namespace);
    if (now?.spec?.replicas === 0) endPod(cluster, pod, call, end);
    else if (pod === undefined || (isReady(pod) && pod.spec?.containers[0]?.image !== image)) {
      const fresh = serverPod(image);
      cluster.put('pods', { ...fresh, metadata: { ...fresh.metadata, uid: `uid-of-pod-of-${image}` } });
      [state.version, state.versionNumber] = image === newImage ? ['14.22', 140022] : ['12.16', 120016];
    }
  });
}

/** How often somebody has looked at a pod since it is to go, and at which look its server ended. */
interface End {
  looks: number;
  endedAt: number;
}

/** The server ends when it is stopped, or some looks later on the kubelet's signal; then one look tells how it ended, and at the next one the pod is gone. */
function endPod(cluster: FakeCluster, pod: V1Pod | undefined, call: Call, end: End): void {
  const { name = '', namespace = '', deletionTimestamp } = pod?.metadata ?? {};
  if (call.method === 'find' && call.resource === 'pods' && call.name === name) end.looks++;
  const isStop = call.method === 'exec' && (call.body as readonly string[])[0] === 'pg_ctl';
  if (pod === undefined || isGated(pod) || end.looks >= end.endedAt + 2) {
    cluster.remove('pods', name, namespace);
  } else if (deletionTimestamp === undefined) {
    Object.assign(end, { looks: 0, endedAt: Infinity });
    cluster.put('pods', { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(0) } });
  } else if (end.endedAt === Infinity && (isStop || end.looks > 5)) {
    end.endedAt = end.looks;
    const state = { terminated: { exitCode: 0, reason: 'Completed' } };
    const status = { name: 'postgresql', image: '', imageID: '', ready: false, restartCount: 0, state };
    cluster.put('pods', { ...pod, status: { ...pod.status, containerStatuses: [status] } });
  }
}

/** Each pod template that the StatefulSet has had stays in a ControllerRevision. */
function remember(cluster: FakeCluster, now: V1StatefulSet | undefined): void {
  const { name = '', namespace = '', uid = '' } = now?.metadata ?? {};
  const image = now?.spec?.template.spec?.containers[0]?.image ?? '';
  const known = cluster.lookAtAll('controllerrevisions');
  const revision = `${name}-${image.replace(/\W+/g, '-')}`;
  if (now === undefined || known.some(({ metadata }) => metadata?.name === revision)) return;
  cluster.put('controllerrevisions', {
    metadata: {
      ...{ name: revision, namespace },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid }],
    },
    revision: known.length + 1,
    data: { spec: { template: now.spec?.template } },
  });
}
