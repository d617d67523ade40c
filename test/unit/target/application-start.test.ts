import { expect, test } from '@jest/globals';
import type { V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { slowestStart } from '../../../src/target/application-start.ts';
import type { Workload } from '../../../src/target/applications.ts';
import { applicationPod } from '../objects.ts';

const workload = (name: string): Workload => ({
  ...{ resource: 'deployments', name, replicas: 1 },
  podSelector: { matchLabels: { app: name } },
});
const applications = [workload('frontend'), workload('workflows')];

/** A pod that was ready so many seconds after its start. */
function pod(app: string, seconds: number, more: V1PodStatus = {}): V1Pod {
  const start = Date.UTC(2026, 0, 2);
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date(start + seconds * 1000) }];
  return applicationPod(`${app}-1`, { app }, { status: { startTime: new Date(start), conditions, ...more } });
}

test.each<[string, readonly V1Pod[], number | undefined]>([
  ['is that of the slowest workload', [pod('frontend', 5), pod('workflows', 40)], 40],
  ['is that of the quickest pod of a workload', [pod('workflows', 400), pod('workflows', 40)], 40],
  ['leaves out other pods', [pod('frontend', 5), pod('vault', 50)], 5],
  ['is unknown where readiness came back later', [pod('frontend', 601)], undefined],
  ['is unknown where a container was restarted', [pod('frontend', 5, { containerStatuses: [restarted()] })], undefined],
  [
    'is unknown where no pod is ready',
    [pod('frontend', 5, { conditions: [{ type: 'Ready', status: 'False' }] })],
    undefined,
  ],
  ['is unknown without pods', [], undefined],
])('the last start of the applications %s', (_what, pods, seconds) => {
  expect(slowestStart(pods, applications)).toBe(seconds);
});

function restarted() {
  return { name: 'main', image: '', imageID: '', ready: true, restartCount: 1 };
}
