import type { V1ObjectMeta, V1Pod } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import { failedTries } from '../../src/objects/failed-tries.ts';
import { podOfJob } from '../../src/job/follow-job.ts';
import { bootJobName, jobName, revertJobName, upgradeJob } from '../../src/objects/upgrade-job.ts';
import { newestEvent } from '../../src/job/newest-event.ts';
import { isOurPod } from '../../src/objects/ours.ts';
import { ownerLabel } from '../../src/objects/pod.ts';
import { probeLabel } from '../../src/probes/probe.ts';
import { sweepProbes } from '../../src/probes/sweep-probes.ts';
import { parseJobResult } from '../../src/job/result.ts';
import type { Application } from '../../src/ports/cluster.ts';
import { findReconcilers } from '../../src/target/reconcilers.ts';
import { prose } from '../../src/text/markdown.ts';
import { makeCopy, removeCopy } from '../../src/upgrade/backup/copy.ts';
import { swapVolume } from '../../src/upgrade/backup/volume-swap.ts';
import { FencingTokenCluster } from '../../src/lock/fencing-token-cluster.ts';
import { fencingTokenLabel } from '../../src/objects/fencing-token.ts';
import { HeldLease } from '../../src/lock/lease.ts';
import { runJob } from '../../src/upgrade/job/job-run.ts';
import { isAtWork } from '../../src/upgrade/job/settle.ts';
import type { Context } from '../../src/upgrade/contract/step.ts';
import { FakeClock } from '../unit/fake-clock.ts';
import { FakeLog } from '../unit/fake-runner.ts';
import { applicationPod, cluster, configMap, job, namespace, statefulSet, target } from '../unit/objects.ts';
import { answerOf, known } from '../unit/prechecks/facts.ts';
import { thrownBy } from '../unit/thrown.ts';
import { setUp } from '../unit/upgrade/context.ts';
import { controlStorage } from '../unit/upgrade/storage-controller.ts';

/** All labels that the action gives to objects of its own: a neighbour may give them to others. */
const ourLabels = { ...ownerLabel, ...probeLabel, 'postgresql-upgrade/probe': 'upgrade' };

/** A pod of a user's that has ended, as old as can be. */
function endedPod(name: string, more: Partial<V1Pod['spec']> = {}): V1Pod {
  const state = { terminated: { exitCode: 0, finishedAt: new Date(0) } };
  const status = { name: 'migrate', image: '', imageID: '', ready: false, restartCount: 0, state };
  return {
    metadata: { name, namespace, uid: `uid-of-${name}`, labels: ourLabels },
    spec: { containers: [{ name: 'migrate' }], ...more },
    status: { phase: 'Succeeded', containerStatuses: [status] },
  };
}

const copied = 'data-postgresql-0-copy';

/** In the middle, after the copy of the backup was booted. */
async function exchange(context: Context): Promise<void> {
  const claim = { metadata: { name: 'data-postgresql-0', namespace, labels: {}, annotations: {} } };
  await swapVolume(context, {
    claim: { ...claim, spec: { volumeName: 'pv-copy' } },
    volume: 'pv-copy',
    former: 'pv-1',
  });
}

describe('a neighbour who puts our labels on what is not ours', () => {
  test.each<[string, V1Pod]>([
    ['an ended pod', endedPod('migrate-abc')],
    ['an ended pod with a deadline', endedPod('migrate-abc', { activeDeadlineSeconds: 900 })],
    [
      'the pod of a Job whose name begins as our probes',
      {
        ...endedPod('postgres-upgrade-probe-upgrade-x', { activeDeadlineSeconds: 900 }),
        metadata: {
          ...endedPod('postgres-upgrade-probe-upgrade-x').metadata,
          ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'u', controller: true }],
        },
      },
    ],
  ])('does not get %s removed', async (_what, pod) => {
    const from = cluster().put('pods', pod);
    await sweepProbes({ cluster: from, log: new FakeLog() }, namespace);
    expect(from.writes).toEqual([]);
  });

  test('does not hide a pod of somebody else from the checks', () => {
    expect(isOurPod(applicationPod('guest', ourLabels, { spec: { containers: [{ name: 'guest' }] } }))).toBe(false);
  });

  test('does not hide the failed Job of the documented way, which may have renamed the data directory', () => {
    const failed = { ...job(jobName, 0), metadata: { name: jobName, namespace, labels: ownerLabel } };
    expect(failedTries([failed])).toEqual([jobName]);
  });

  test('does not pass a pod off as the one of a Job of ours', async () => {
    const { cluster: from, context } = await setUp();
    const ours = upgradeJob(context.target, context.settings, 'upgrade', context.scripts);
    from.put('jobs', ours);
    const made = from.peek('jobs', jobName, namespace) ?? ours;
    const controller = { 'batch.kubernetes.io/controller-uid': made.metadata?.uid ?? '' };
    const template = ours.spec?.template.spec;
    // The Job's own pod runs; another one, which comes first, says that all is over.
    from.put('pods', {
      metadata: { name: 'a-guest', namespace, labels: controller },
      spec: { containers: [{ name: 'pg-upgrade', command: ['true'] }] },
      status: { phase: 'Failed' },
    });
    expect(await podOfJob(context, made)).toBeUndefined();
    const status = { name: 'pg-upgrade', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
    from.put('pods', {
      metadata: { name: `${jobName}-x`, namespace, labels: controller },
      ...(template === undefined ? {} : { spec: template }),
      status: { phase: 'Running', containerStatuses: [status] },
    });
    expect((await podOfJob(context, made))?.metadata?.name).toBe(`${jobName}-x`);
    expect(await isAtWork(context, made)).toBe(true);
  });

  test('does not pass an object off as one that this run has made, by the label of its token', async () => {
    const from = cluster();
    const outside = { connection: from, clock: new FakeClock(), log: new FakeLog() };
    const lease = await HeldLease.acquire(outside, namespace, 'run-1');
    const guarded = new FencingTokenCluster(from, lease, namespace, outside.log);
    const theirs = { ...configMap(jobName, { 'upgrade.sh': 'echo EVIL' }) };
    from.put('configmaps', {
      ...theirs,
      metadata: { ...theirs.metadata, labels: { [fencingTokenLabel]: lease.token } },
    });
    const ours = configMap(jobName, { 'upgrade.sh': 'echo' });
    const error = await thrownBy(() => guarded.create('configmaps', ours, { namespace }));
    expect(error.code).toBe('conflict');
    await lease.release();
  });

  test.each([
    ['a new copy', bootJobName, (context: Context) => makeCopy(context, { kind: 'VolumeSnapshot', name: 'x' })],
    ['an exchange of volumes', bootJobName, exchange],
    ['an exchange of volumes', jobName, exchange],
    ['an exchange of volumes', revertJobName, exchange],
    ['the upgrade', jobName, (context: Context) => runJob(context, 'upgrade'), [1]],
    ['the way back', revertJobName, (context: Context) => runJob(context, 'revert')],
  ])(
    'does not get a Job of somebody else removed by %s that has the name %s',
    async (_what, name, act, counts = [0, 1]) => {
      for (const active of counts) {
        const setting = await setUp();
        const { cluster: from, context } = setting;
        controlStorage(setting);
        from.remove('pods', context.target.podName, namespace);
        const made = job(name, active);
        from.put('jobs', { ...made, metadata: { ...made.metadata, uid: 'theirs', labels: ourLabels } });
        from.put('persistentvolumes', {
          metadata: { name: 'pv-copy' },
          spec: { claimRef: { namespace, name: copied } },
        });
        const error = await thrownBy(() => act(context));
        expect(error).toMatchObject({ code: 'job-foreign', message: expect.stringContaining(`Job ${name} `) });
        expect(error.remedy.text).toContain(`kubectl -n ${namespace} delete job ${name}`);
        expect(from.peek('jobs', name, namespace)?.metadata?.uid).toBe('theirs');
        expect(from.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.spec?.volumeName).toBe('pv-1');
      }
    },
  );

  test('does not get a Job of somebody else removed at the end of a proof, which needs its name no more', async () => {
    const { cluster: from, context } = await setUp();
    from.put('jobs', { ...job(bootJobName, 1), metadata: { name: bootJobName, namespace, labels: ourLabels } });
    await removeCopy(context);
    expect(from.peek('jobs', bootJobName, namespace)).toBeDefined();
    expect(context.results.warnings.join()).toContain(`Job ${bootJobName} `);
  });
});

const result = {
  ...{ schema: 1, command: 'upgrade', outcome: 'upgraded', state: 'swapped', step: 'Checking the result' },
  ...{ message: 'done', transfer: 'link', oldVersion: '12.22', newVersion: '14.22', seconds: { total: 1.5 } },
};

describe('the result of a Job that has read a hostile volume', () => {
  test('is read where it is what the script writes', () => {
    expect(parseJobResult(JSON.stringify(result))).toMatchObject(result);
  });

  test.each<[string, unknown]>([
    ['outcome', 'upgraded\n::error::x'],
    ['outcome', { toString: 'upgraded' }],
    ['command', '$(id)'],
    ['state', 'swapped`'],
    ['message', 'done\r\n::add-mask::a'],
    ['message', 'x'.repeat(1001)],
    ['step', '\u001b[2J'],
    ['transfer', 'clone; rm -rf /'],
    ['transfer', 'clone\nlink'],
    ['oldVersion', '12.22</td><img src=x>'],
    ['newVersion', '14.22 @everyone'],
    ['seconds', { total: -1 }],
    ['seconds', { '__proto__\n': 1 }],
    ['seconds', { total: '1e999' }],
    ['reverted', 'true'],
    ['schema', '1'],
  ])('is none where its %s is %j', (field, value) => {
    expect(parseJobResult(JSON.stringify({ ...result, [field]: value }))).toBeUndefined();
  });

  test.each(['', 'null', '[]', '1', '{', `${'['.repeat(2000)}${']'.repeat(2000)}`, JSON.stringify('x'.repeat(5000))])(
    'is none where it is %j',
    (text) => {
      expect(parseJobResult(text)).toBeUndefined();
    },
  );
});

test('a neighbour who writes an event is quoted: no command in it is one of ours, and no word after it', async () => {
  const words = 'waiting". To go on, run `kubectl delete pvc data-postgresql-0`, ``curl https://evil.example`` or "x';
  const metadata = { name: 'e', namespace };
  const from = cluster().put('events', { metadata, involvedObject: { name: jobName }, message: words });
  const told = (await newestEvent(from, namespace, jobName)) ?? '';
  expect(told).toMatch(/^event "[^"`]+kubectl delete pvc data-postgresql-0[^"`]+"$/);
  expect(prose(`Timed out after 300 s waiting for the pod: ${told}.`)).not.toContain('`');
});

describe('a neighbour who annotates the StatefulSet', () => {
  const resources = [{ kind: 'StatefulSet', namespace, name: 'postgresql' }];
  const healing: Application = {
    ...{ metadata: { name: 'circleci', namespace: 'argocd' }, status: { resources } },
    spec: { syncPolicy: { automated: { selfHeal: true } } },
  };
  const resting: Application = { metadata: { name: 'resting', namespace: 'argocd' }, spec: {} };
  const annotations = { 'argocd.argoproj.io/tracking-id': `resting:apps/StatefulSet:${namespace}/postgresql` };

  test.each<[string, V1ObjectMeta]>([
    ['the label', { labels: { 'argocd.argoproj.io/instance': 'circleci' } }],
    ['the field manager', { managedFields: [{ manager: 'argocd-controller' }] }],
    ['nothing', {}],
  ])('does not hide an Application that syncs itself, where %s tells of it', async (_what, real) => {
    const from = cluster().put('applications', healing, resting);
    const metadata = { ...real, namespace, annotations };
    const reconcilers = known(await findReconcilers(from, [{ object: 'statefulsets/postgresql', metadata }]));
    const answer = await answerOf('gitops', { reconcilers });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('Application circleci in namespace argocd syncs by itself, with self-heal');
    expect(answer.remedy?.text).toMatch(/argocd app set (argocd\/)?circleci --sync-policy none/);
  });

  const pending = { release: 'circleci-server', revision: 7, status: 'pending-upgrade' };
  const other = { release: 'monitoring', revision: 1, status: 'deployed' };

  test.each([
    ['one that does not exist', [pending]],
    ['another one', [pending, other]],
  ])('does not hide a Helm release in the middle of a change by naming %s', async (_what, revisions) => {
    const own = statefulSet();
    own.metadata = { ...own.metadata, annotations: { 'meta.helm.sh/release-name': 'monitoring' } };
    const matchLabels = { 'app.kubernetes.io/instance': 'circleci-server' };
    if (own.spec !== undefined) own.spec.selector = { matchLabels };
    const answer = await answerOf('helm-release', { helmRevisions: known(revisions), target: await target(own) });
    expect(answer.status).toBe('failed');
  });
});

describe('a neighbour who takes our labels off what is ours', () => {
  test('does not make a Job of ours one of the documented way', async () => {
    const { context } = await setUp();
    const ours = upgradeJob(context.target, context.settings, 'upgrade', context.scripts);
    const stripped = { ...ours, metadata: { ...ours.metadata, labels: {} }, status: { failed: 1 } };
    expect(failedTries([stripped])).toEqual([]);
  });
});
