import type { V1StatefulSet } from '@kubernetes/client-node';
import { Timeline } from '../../../src/report/timeline.ts';
import { isReady } from '../../../src/upgrade/server/server-ready.ts';
import { serverImage } from '../../../src/target/target.ts';
import { Journal } from '../../../src/journal/journal.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { jobSettings } from '../../../src/objects/job-settings.ts';
import type { Context } from '../../../src/upgrade/contract/step.ts';
import { uidsOf } from '../../../src/upgrade/upgrade.ts';
import { FakeClock } from '../fake-clock.ts';
import type { FakeCluster } from '../fake-cluster.ts';
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
    results: { warnings: [] },
  };
  return { cluster, clock, log, cancelled, state, context };
}

/**
 * Does what the StatefulSet controller does: one pod at replicas 1, none at 0, with the template's image and gates. A pod that is not ready it leaves as it
 * is, whatever the template says by now.
 */
export function controlStatefulSet({ cluster, context, state }: Setting): void {
  const { name, namespace, podName } = context.target;
  cluster.hooks.push((call) => {
    const now = cluster.look('statefulsets', name, namespace);
    remember(cluster, now);
    if (call.method === 'patch') return;
    const template = now?.spec?.template.spec;
    const image = template?.containers[0]?.image ?? '';
    const pod = cluster.look('pods', podName, namespace);
    if (now?.spec?.replicas === 0) {
      cluster.remove('pods', podName, namespace);
      cluster.remove('volumeattachments', 'attachment');
    } else if (pod === undefined || (isReady(pod) && pod.spec?.containers[0]?.image !== image)) {
      const fresh = serverPod(image);
      cluster.put('pods', { ...fresh, metadata: { ...fresh.metadata, uid: `uid-of-pod-of-${image}` } });
      [state.version, state.versionNumber] = image === newImage ? ['14.22', 140022] : ['12.16', 120016];
    }
  });
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
