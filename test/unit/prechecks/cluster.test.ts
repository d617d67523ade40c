import { describe, expect, test } from '@jest/globals';
import type { V1StatefulSet } from '@kubernetes/client-node';
import { claim, inputs, snapshotClass, statefulSet, target } from '../objects.ts';
import { answerOf, files, known } from './facts.ts';

describe('admission', () => {
  test('fails with the words of what refuses', async () => {
    const refused = ['the pod of the Job: violates PodSecurity "restricted:latest"', 'the Job: exceeded quota'];
    const answer = await answerOf('admission', { refused: known(refused) });
    expect(answer.status).toBe('failed');
    expect(answer.evidence).toEqual(refused);
    expect(answer.remedy).toContain('quota');
  });
});

describe('volume-snapshot', () => {
  const driver = 'csi.example.com';

  test('says how it will be taken', async () => {
    expect((await answerOf('volume-snapshot')).text).toContain('csi-class (csi.example.com, deletionPolicy Retain)');
  });

  test.each([
    ['no CSI driver', '', { driver: undefined, chosen: undefined, candidates: [] }, 'data-postgresql-0', 'CSI driver'],
    [
      'no class',
      '',
      { driver, chosen: undefined, candidates: [] },
      `no VolumeSnapshotClass is there for ${driver}`,
      driver,
    ],
    ['several classes', '', { driver, chosen: undefined, candidates: ['a', 'b'] }, 'a, b', '"volume-snapshot-class"'],
    ['a class that is not there', 'mine', { driver, chosen: undefined, candidates: ['a'] }, 'mine', driver],
  ])('with %s fails', async (_what, wanted, facts, evidence, remedy) => {
    const answer = await answerOf('volume-snapshot', {
      snapshotClass: known(facts),
      inputs: inputs({ 'volume-snapshot-class': wanted }),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy).toContain(remedy);
  });

  test('the class that was asked for passes', async () => {
    const chosen = snapshotClass('mine', driver);
    const facts = known({ driver, chosen, candidates: ['a', 'mine'] });
    expect((await answerOf('volume-snapshot', { snapshotClass: facts })).status).toBe('passed');
  });
});

describe('volume-claim', () => {
  function scaledDown(whenScaled: string): V1StatefulSet {
    return statefulSet({}, { persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted: 'Retain' } });
  }

  test('a StatefulSet that deletes its claim when it is scaled down fails', async () => {
    const answer = await answerOf('volume-claim', { target: await target(scaledDown('Delete')) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('whenScaled: Delete');
    expect(answer.remedy).toContain('Retain');
  });

  test('one that keeps it passes', async () => {
    expect((await answerOf('volume-claim', { target: await target(scaledDown('Retain')) })).status).toBe('passed');
  });

  test.each(['Pending', 'Lost', undefined])('a claim that is %s fails', async (phase) => {
    const found = await target();
    const unbound = { ...claim(), status: phase === undefined ? {} : { phase } };
    const answer = await answerOf('volume-claim', {
      target: { ...found, volume: { ...found.volume, claim: unbound } },
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(phase ?? 'unknown');
  });

  test('a volume that is not to be seen fails', async () => {
    const found = await target();
    const volume = { ...found.volume, persistentVolume: undefined };
    const answer = await answerOf('volume-claim', { target: { ...found, volume } });
    expect(answer.status).toBe('failed');
    expect(answer.remedy).toMatch(/\S/);
  });
});

describe('volume-users', () => {
  test('fails for each other pod', async () => {
    const answer = await answerOf('volume-users', { otherVolumeUsers: known(['debug', 'backup']) });
    expect(answer.status).toBe('failed');
    expect(answer.evidence).toEqual(['pod debug mounts data-postgresql-0', 'pod backup mounts data-postgresql-0']);
  });
});

describe('leftovers', () => {
  const root = '/bitnami/postgresql';

  test.each(['data-12', 'data-14', 'data-12.preupgrade'])(
    'the directory %s fails, and is not deleted',
    async (name) => {
      const entries = [...files.entries, `${root}/${name}`];
      const answer = await answerOf('leftovers', { files: known({ ...files, entries }) });
      expect(answer.status).toBe('failed');
      expect(answer.text).toContain(`${root}/${name}`);
      expect(answer.remedy).toContain('ls -la /bitnami/postgresql');
    },
  );

  test('a running Job or an unfinished journal fails', async () => {
    const answer = await answerOf('leftovers', { leftoverObjects: known(['running Job postgres-upgrade-12-to-14']) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('running Job postgres-upgrade-12-to-14');
  });

  test.each(['upgrade-logs', '.postgresql-upgrade'])('%s alone passes, and is told', async (name) => {
    const answer = await answerOf('leftovers', { files: known({ ...files, entries: [`${root}/${name}`] }) });
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain(name);
  });

  test.each(['data-14.txt', 'my-data-12', 'data'])('%s is none', async (name) => {
    const answer = await answerOf('leftovers', { files: known({ ...files, entries: [`${root}/${name}`] }) });
    expect(answer.text).toBe('nothing is left over');
  });
});

describe('applications', () => {
  const frontend = { resource: 'deployments', name: 'frontend', replicas: 3, podSelector: {} } as const;
  const nightly = { resource: 'cronjobs', name: 'nightly', suspended: false } as const;

  test('shows each with what it will be brought back to', async () => {
    const { text, status } = await answerOf('applications');
    expect(status).toBe('passed');
    expect(text).toContain('deployments/frontend: 3 replicas');
    expect(text).toContain('cronjobs/nightly: scheduled');
    expect(text).toContain('cronjobs/paused: suspended');
  });

  test('a label that nothing carries has not passed', async () => {
    const answer = await answerOf('applications', { target: await target(undefined, { applications: [] }) });
    expect(['failed', 'unknown']).toContain(answer.status);
    expect(answer.text).toContain('layer=application');
    expect(answer.remedy).toContain('application-selector');
  });

  test.each([
    ['all at 0', [{ ...frontend, replicas: 0 }]],
    ['CronJobs only', [nightly]],
  ])('%s warns', async (_what, applications) => {
    const answer = await answerOf('applications', { target: await target(undefined, { applications }) });
    expect(answer.status).toBe('warning');
    expect(answer.remedy).toMatch(/\S/);
  });
});
