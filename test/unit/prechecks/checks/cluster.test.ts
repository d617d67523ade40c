import { describe, expect, test } from '@jest/globals';
import type { V1StatefulSet } from '@kubernetes/client-node';
import { claim, inputs, snapshotClass, statefulSet, target } from '../../objects.ts';
import type { FoundCluster } from '../../../../src/database/volume-files.ts';
import { answerOf, files, known, unread } from '../facts.ts';

describe('admission', () => {
  test('fails with the words of what refuses', async () => {
    const refused = ['the pod of the Job: violates PodSecurity "restricted:latest"', 'the Job: exceeded quota'];
    const answer = await answerOf('admission', { refused: known(refused) });
    expect(answer.status).toBe('failed');
    expect(answer.evidence).toEqual(refused);
    expect(answer.remedy?.text).toContain('quota');
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
      `there is no VolumeSnapshotClass of ${driver}`,
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
    expect(answer.remedy?.text).toContain(remedy);
  });

  test.each([
    ['a volume that is not one of a CSI driver', { driver: undefined, chosen: undefined, candidates: [] }],
    ['a driver without a class', { driver, chosen: undefined, candidates: [] }],
  ])('says of %s how to upgrade without snapshots, and which backup to take', async (_, facts) => {
    const { remedy, commands } = await answerOf('volume-snapshot', { snapshotClass: known(facts) });
    const { namespace } = await target();
    expect(remedy?.text).toMatch(
      new RegExp(`"transfer" to copy, "backup" to external and "confirm-external-backup" to ${namespace}\\.`),
    );
    expect(remedy?.text).toContain('set "backup" to copy');
    expect(commands).toBe(`velero backup create before-postgresql-14 --include-namespaces ${namespace} --wait`);
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
    expect(answer.commands).toContain('kubectl -n circleci-server patch statefulset postgresql -p');
    expect(answer.commands).toContain('"whenScaled":"Retain"');
  });

  test('one that keeps it passes', async () => {
    const answer = await answerOf('volume-claim', { target: await target(scaledDown('Retain')) });
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain(
      'Kubernetes deletes the volume with its claim (Delete): the upgrade sets Retain until it is done',
    );
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

  test('a claim that goes when PostgreSQL stops fails', async () => {
    const found = await target();
    const deleted = { ...claim(), metadata: { ...claim().metadata, deletionTimestamp: new Date(0) } };
    const answer = await answerOf('volume-claim', {
      target: { ...found, volume: { ...found.volume, claim: deleted } },
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('is being deleted');
  });

  test('a volume that is not to be seen fails', async () => {
    const found = await target();
    const volume = { ...found.volume, persistentVolume: undefined };
    const answer = await answerOf('volume-claim', { target: { ...found, volume } });
    expect(answer.status).toBe('failed');
    expect(answer.remedy?.text).toMatch(/\S/);
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
      expect(answer.remedy?.text).toContain('ls -la /bitnami/postgresql');
    },
  );

  test('a running Job or an unfinished journal fails', async () => {
    const answer = await answerOf('leftovers', { leftoverObjects: known(['running Job postgres-upgrade-12-to-14']) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('running Job postgres-upgrade-12-to-14');
  });

  test.each(['upgrade-logs', '.postgresql-upgrade'])('%s alone passes, and is reported', async (name) => {
    const answer = await answerOf('leftovers', { files: known({ ...files, entries: [`${root}/${name}`] }) });
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain(name);
  });

  test('backups of earlier upgrades pass, and are reported with their cost', async () => {
    const keptData = known([{ kind: 'VolumeSnapshot' as const, name: 'data-before-upgrade-1' }]);
    const answer = await answerOf('leftovers', { keptData });
    expect([answer.status, answer.text]).toEqual([
      'passed',
      'nothing is left over\nVolumeSnapshot data-before-upgrade-1 of an earlier upgrade costs storage',
    ]);
    expect((await answerOf('leftovers', { keptData: unread('forbidden') })).text).toBe('nothing is left over');
  });

  const cluster = (name: string, more: Partial<FoundCluster> = {}): FoundCluster => ({
    path: `${root}/${name}`,
    owner: 1001,
    readable: true,
    version: '12',
    control: 'pg_control',
    hasTables: true,
    megabytes: 80,
    ...more,
  });
  const withClusters = (...clusters: FoundCluster[]) =>
    answerOf('leftovers', {
      files: known({ ...files, clusters, entries: [...files.entries, ...clusters.map(({ path }) => path)] }),
    });

  test.each([
    ['data-12', {}, `mv ${root}/data ${root}/data.empty && mv ${root}/data-12 ${root}/data`],
    ['data-12', { readable: false, hasTables: false, version: '', owner: 999 }, `mv ${root}/data-12 ${root}/data`],
    [
      'data-12.preupgrade',
      { control: 'pg_control.old' as const },
      `rm -rf ${root}/data-14 && mv ${root}/data-12.preupgrade/global/pg_control.old`,
    ],
  ])('an empty cluster beside %s (%j) is reported as such', async (name, more, command) => {
    const answer = await withClusters(cluster('data', { hasTables: false }), cluster(name, more));
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(
      `the server runs on an EMPTY cluster in ${root}/data; the data is in ${root}/${name}`,
    );
    expect(answer.remedy?.text).toContain(command);
    expect(answer.remedy?.text).toContain('chown -R 1001');
  });

  test('of two full ones a person has to choose', async () => {
    const answer = await withClusters(cluster('data'), cluster('data-12'));
    expect(answer.status).toBe('failed');
    expect(answer.text).not.toContain('the data is in');
    expect(answer.remedy?.text).toContain('Find out which cluster has the right data');
  });

  test('an empty one beside an empty one is no catastrophe', async () => {
    const answer = await withClusters(cluster('data', { hasTables: false }), cluster('data-12', { hasTables: false }));
    expect(answer.text).not.toContain('the data is in');
  });

  test('a new cluster alone is only moved away', async () => {
    const answer = await withClusters(cluster('data'), cluster('data-14', { version: '14' }));
    expect(answer.status).toBe('failed');
    expect(answer.remedy?.text).toContain(`mv ${root}/data-14 ${root}/data-14.aside`);
  });

  test('a nested one is reported first', async () => {
    const answer = await withClusters(
      cluster('data', { hasTables: false }),
      cluster('data-12.preupgrade'),
      cluster('data/data-14'),
    );
    expect(answer.text).toContain(`nested in the data directory: ${root}/data/data-14`);
  });

  test('an unfinished upgrade of ours goes first: it knows its own directories', async () => {
    const clusters = [cluster('data'), cluster('data-14', { version: '14' })];
    const entries = [...files.entries, `${root}/data-14`];
    const leftoverObjects = known(['unfinished journal ConfigMap x']);
    const answer = await answerOf('leftovers', { files: known({ ...files, clusters, entries }), leftoverObjects });
    expect(answer.remedy?.text).toContain('it completes or reverts that upgrade');
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
    expect(answer.remedy?.text).toContain('application-selector');
  });

  test.each([
    ['all at 0', [{ ...frontend, replicas: 0 }]],
    ['CronJobs only', [nightly]],
  ])('%s warns', async (_what, applications) => {
    const answer = await answerOf('applications', { target: await target(undefined, { applications }) });
    expect(answer.status).toBe('warning');
    expect(answer.remedy?.text).toMatch(/\S/);
  });
});
