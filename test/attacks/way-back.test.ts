import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../src/objects/upgrade-job.ts';
import { ownerLabel } from '../../src/objects/pod.ts';
import { discover } from '../../src/target/discover.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { beginWithoutJournal, readEvidence } from '../../src/upgrade/without-journal.ts';
import { inputs, namespace, oldImage } from '../unit/objects.ts';
import { thrownBy } from '../unit/thrown.ts';
import { collectPods, ending, revertName, served } from '../unit/upgrade/job-controller.ts';
import { live } from '../unit/upgrade/live.ts';
import { seal } from '../unit/upgrade/sealed.ts';
import { rollBackNow, upgradeUntil, type Live } from './interrupted.ts';

const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'data is PostgreSQL 12 again' });

/** The upgrade Job's own pod. */
const upgradePod = ({ cluster: from }: Live): V1Pod | undefined =>
  from.all('pods').find(({ metadata }) => metadata?.name?.startsWith(`${jobName}-uid`));

function stripLabels(setting: Live): void {
  const pod = upgradePod(setting);
  setting.cluster.put('pods', { ...pod, metadata: { ...pod?.metadata, labels: {}, ownerReferences: [] } });
}

describe('a neighbour who takes the labels off the pod of the upgrade Job', () => {
  test('after its end does not keep the way back from taking the data directory back', async () => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    await upgradeUntil(setting, () => setting.journal()?.['step'] === 'activate');
    stripLabels(setting);
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
    expect(setting.image()).toBe(oldImage);
  });

  test('and has it deleted after its end does not either', async () => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    await upgradeUntil(setting, () => setting.journal()?.['step'] === 'activate');
    const name = upgradePod(setting)?.metadata?.name ?? '';
    // A Job that has ended makes no other one.
    setting.cluster.hooks.push(() => {
      setting.cluster.remove('pods', name, namespace);
    });
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
  });

  test('while it is at work does not get the Job removed', async () => {
    const setting = await live({ [jobName]: { running: {} }, [revertName]: reverted });
    collectPods(setting);
    await upgradeUntil(setting, () => upgradePod(setting) !== undefined);
    stripLabels(setting);
    setting.cluster.calls.length = 0;
    expect(await rollBackNow(setting)).toContain('is at work on the volume');
    expect(setting.cluster.writes.filter((write) => write.includes(`jobs/${jobName}`))).toEqual([]);
  });

  test('and has the Job removed does not get a second one made beside a pod that is at work', async () => {
    const setting = await live({ [jobName]: { running: {} }, [revertName]: reverted });
    await upgradeUntil(setting, () => upgradePod(setting) !== undefined);
    stripLabels(setting);
    setting.cluster.remove('jobs', jobName, namespace);
    expect(await rollBackNow(setting)).toContain('is at work on the volume');
    expect(setting.cluster.writes).not.toContain(`create jobs/${revertName}`);
  });
});

describe('a neighbour who makes the journal immutable, which can not be undone,', () => {
  function makeImmutable({ cluster }: Live, more: Readonly<Record<string, string>> = {}): void {
    const now = cluster.peek('configmaps', journalName, namespace);
    const metadata = { ...now?.metadata, finalizers: ['example.com/keep'] };
    cluster.put('configmaps', { ...now, metadata, immutable: true, data: { ...now?.data, ...more } });
  }

  test('does not keep the applications of a validated upgrade stopped', async () => {
    const setting = await live({ [jobName]: ending(0) });
    let isDone = false;
    setting.cluster.hooks.push(() => {
      if (isDone || setting.journal()?.['validated'] === undefined) return;
      isDone = true;
      makeImmutable(setting);
    });
    await setting.begin();
    expect(setting.replicas()).toBe(3);
    expect(setting.journal()).toMatchObject({ step: 'restore-applications', outcome: 'upgraded' });
  });

  test('does not keep a finished upgrade from being rolled back', async () => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    await setting.begin();
    makeImmutable(setting);
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(setting.journal()).toMatchObject({ outcome: 'reverted' });
  });

  test('and changes it before does not keep the way back without the journal from its beginning', async () => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    await upgradeUntil(setting, () => setting.journal()?.['step'] === 'activate');
    makeImmutable(setting, { x: 'y' });
    const { cluster, clock } = setting;
    const wanted = inputs({ mode: 'rollback', confirm: `${namespace} without the journal` });
    const evidence = await readEvidence(cluster, {
      inputs: wanted,
      target: await discover(cluster, wanted),
      consent: wanted.consent ?? { withoutJournal: true, image: undefined, backup: undefined },
      runId: 'run-3',
      startedAt: clock.now().toISOString(),
    });
    await beginWithoutJournal(cluster, seal, namespace, evidence, 'it was asked for');
    expect(setting.journal()).not.toHaveProperty('x');
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
  });
});

describe('a neighbour who changes the journal between the validation and the end', () => {
  test.each(['another value', 'another journal'])('(%s) does not keep the applications stopped', async (what) => {
    const setting = await live({ [jobName]: ending(0) });
    const { cluster, context } = setting;
    let isDone = false;
    cluster.hooks.push(() => {
      const now = cluster.peek('configmaps', journalName, namespace);
      if (isDone || now?.data?.['validated'] === undefined) return;
      isDone = true;
      const metadata = { name: journalName, namespace, ...(what === 'another value' ? now.metadata : {}) };
      cluster.put('configmaps', { metadata, data: { ...now.data, x: 'y' } });
    });
    await setting.begin();
    expect(setting.replicas()).toBe(3);
    expect(context.results.warnings.join()).toContain(`delete configmap ${journalName}`);
  });
});

describe("a neighbour who annotates the server's claim", () => {
  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['with capitals in the name', { 'Example.com/owner': 'me' }, ['Example.com/owner']],
    ['with all that Kubernetes takes', { short: 'me', long: '\u0001'.repeat(262_000) }, ['short']],
    [
      'with many annotations',
      Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`a${String(n)}`, '\u0001'.repeat(280)])),
      [],
    ],
  ])('(%s) does not keep the backup from being restored', async (_what, annotations, stay) => {
    const setting = await live({ [jobName]: ending(0), [revertName]: served('link') });
    collectPods(setting);
    await setting.begin();
    const { cluster, context } = setting;
    const claim = cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace);
    cluster.put('persistentvolumeclaims', {
      ...claim,
      metadata: { ...claim?.metadata, annotations: { ...annotations } },
    });
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    const restored = cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace);
    expect(restored?.spec?.volumeName).toMatch(/^volume-of-/);
    expect(Object.keys(restored?.metadata?.annotations ?? {})).toEqual(expect.arrayContaining([...stay]));
    const isLost = Object.keys(annotations).length > stay.length;
    expect(context.results.warnings.join().includes('of its annotations')).toBe(isLost);
  });
});

describe('a neighbour who puts our label on what is not ours, or takes it off what is,', () => {
  const copy = 'data-postgresql-0-copy';

  test("does not get an administrator's own clone of the server's claim deleted", async () => {
    const setting = await live({ [jobName]: ending(0) });
    const { cluster } = setting;
    cluster
      .put('persistentvolumeclaims', {
        metadata: { name: copy, namespace, labels: ownerLabel, creationTimestamp: new Date('2020-01-01') },
        spec: { volumeName: 'pv-of-theirs', dataSource: { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' } },
      })
      .put('persistentvolumes', {
        metadata: { name: 'pv-of-theirs' },
        spec: { persistentVolumeReclaimPolicy: 'Retain', claimRef: { name: copy, namespace } },
      });
    const error = await thrownBy(() => setting.begin());
    expect(error.code).toBe('reverted');
    expect(error.message).toContain(copy);
    expect(cluster.peek('persistentvolumeclaims', copy, namespace)?.spec?.volumeName).toBe('pv-of-theirs');
    expect(cluster.peek('persistentvolumes', 'pv-of-theirs')?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
  });

  test.each(['snapshot', 'clone'])('does not keep the backup (%s) from being restored', async (backup) => {
    const setting = await live({ [jobName]: ending(0), [revertName]: served('link') }, { backup });
    collectPods(setting);
    await setting.begin();
    const { cluster } = setting;
    for (const snapshot of cluster.all('volumesnapshots'))
      cluster.put('volumesnapshots', { ...snapshot, metadata: { ...snapshot.metadata, labels: {} } });
    cluster.hooks.push(() => {
      for (const claim of cluster.all('persistentvolumeclaims'))
        if (claim.metadata?.labels?.['app.kubernetes.io/managed-by'] !== undefined)
          cluster.put('persistentvolumeclaims', { ...claim, metadata: { ...claim.metadata, labels: {} } });
    });
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.spec?.volumeName).not.toBe('pv-1');
  });
});
