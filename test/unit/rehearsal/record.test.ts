import { describe, expect, test } from '@jest/globals';
import { ofRehearsal } from '../../../src/journal/seal.ts';
import { findRecord, whyInvalid, writeRecord, type RehearsalRecord } from '../../../src/rehearsal/record.ts';
import { rehearsalRecordName } from '../../../src/objects/rehearsal.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { digestsOf } from '../fake-database.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { ending } from '../upgrade/job-controller.ts';
import { seal } from '../upgrade/sealed.ts';
import { bootJob, scene } from './scene.ts';

const own = seal.for(ofRehearsal);
const systemIdentifier = '7000000000000000001';
const ofSchema = (digit: string) => digestsOf({ schema: digit.repeat(32), systemIdentifier });
const server = { systemIdentifier, claim: 'uid-of-claim', volume: 'pv-1' };
const rehearsed: RehearsalRecord['rehearsed'] = {
  server,
  settings: 'c'.repeat(64),
  images: ['upgrade@sha256:1', 'serving@sha256:2'],
  databases: { circle: ofSchema('a') },
};
const passed: RehearsalRecord & { schema: 2 } = {
  ...{ schema: 2, runId: 'run-1', endedAt: '2026-01-02T03:04:05.000Z', passed: true, rehearsed },
  seconds: { 'rehearsal-upgrade': 12.3 },
};
const day = 24 * 3600 * 1000;
const hourLater = new Date(Date.UTC(2026, 0, 2, 4, 4, 5));

describe('the record of a rehearsal', () => {
  test('is read as it was written, in the place of the one before', async () => {
    const cluster = new FakeCluster();
    await writeRecord(cluster, namespace, own, { ...passed, passed: false });
    await writeRecord(cluster, namespace, own, passed);
    expect(await findRecord(cluster, namespace, own)).toEqual(passed);
  });

  test('of an older version is read, and has no proof of the backup', async () => {
    const cluster = new FakeCluster();
    const older = { ...passed, schema: 1 } as const;
    await writeRecord(cluster, namespace, own, older);
    expect(await findRecord(cluster, namespace, own)).toEqual(older);
    const proof = { kind: 'clone', storage: 'd'.repeat(64) } as const;
    await writeRecord(cluster, namespace, own, { ...passed, proof });
    expect(await findRecord(cluster, namespace, own)).toEqual({ ...passed, proof });
    await writeRecord(cluster, namespace, own, { ...older, proof } as RehearsalRecord);
    expect(await findRecord(cluster, namespace, own)).toBe('foreign');
  });

  test('is none where nothing was rehearsed', async () => {
    expect(await findRecord(new FakeCluster(), namespace, own)).toBeUndefined();
  });

  test('that somebody changed is not authentic', async () => {
    const cluster = new FakeCluster();
    await writeRecord(cluster, namespace, own, { ...passed, passed: false });
    const found = cluster.peek('configmaps', rehearsalRecordName, namespace);
    const record = JSON.stringify(passed);
    cluster.put('configmaps', { ...found, data: { ...found?.data, record } });
    expect(await findRecord(cluster, namespace, own)).toBe('foreign');
  });

  test('and a journal do not pass for each other', async () => {
    const cluster = new FakeCluster();
    await writeRecord(cluster, namespace, own, passed);
    const { data = {} } = cluster.peek('configmaps', rehearsalRecordName, namespace) ?? {};
    expect([await own.isAuthentic(namespace, data), await seal.isAuthentic(namespace, data)]).toEqual([true, false]);
  });
});

describe('the record of the rehearsal before', () => {
  test('is gone before the next one makes anything, and stays so where that one fails early', async () => {
    const { cluster, run } = await scene({ [bootJob]: ending(10, { message: 'invalid page' }) });
    await writeRecord(cluster, namespace, own, passed);
    const seen = new Set<boolean>();
    cluster.hooks.push(({ method }) => {
      if (method === 'create') seen.add(cluster.look('configmaps', rehearsalRecordName, namespace) !== undefined);
    });
    await run();
    expect([...seen]).toEqual([false]);
    expect(await findRecord(cluster, namespace, own)).toBeUndefined();
  });

  test("is not a person's ConfigMap of the same name, which stays", async () => {
    const cluster = new FakeCluster();
    cluster.put('configmaps', { metadata: { name: rehearsalRecordName, namespace }, data: { notes: 'mine' } });
    const error = await thrownBy(() => writeRecord(cluster, namespace, own, passed));
    expect([error.code, error.message]).toEqual(['rehearsal-foreign', expect.stringContaining('configmap')]);
    expect(cluster.peek('configmaps', rehearsalRecordName, namespace)?.data).toEqual({ notes: 'mine' });
  });
});

describe('a rehearsal counts for an upgrade', () => {
  test('of the same server, for a day', () => {
    expect(whyInvalid(passed, hourLater, day, rehearsed)).toBeUndefined();
  });

  test('of an image that another node names by another repository', () => {
    const images = (repository: string) =>
      ['1', '2'].map((digit) => `${repository}@sha256:${digit.repeat(64)}`) as [string, string];
    const found = { ...passed, rehearsed: { ...rehearsed, images: images('registry.example/a') } };
    expect(whyInvalid(found, hourLater, day, { ...rehearsed, images: images('mirror.example/a') })).toBeUndefined();
  });

  test.each<[string, Parameters<typeof whyInvalid>, string]>([
    ['without one', [undefined, hourLater, day, rehearsed], 'there was none'],
    ['with a forged one', ['foreign', hourLater, day, rehearsed], "nobody who knows the superuser's password"],
    ['that did not pass', [{ ...passed, passed: false }, hourLater, day, rehearsed], 'did not pass'],
    ['that is too old', [passed, new Date(hourLater.getTime() + day), day, rehearsed], 'is too old'],
    ['of the future', [passed, new Date(Date.UTC(2026, 0, 1)), day, rehearsed], 'is in the future'],
    [
      'with another image',
      [passed, hourLater, day, { ...rehearsed, images: ['upgrade@sha256:1', 'serving@sha256:3'] }],
      'the images have changed',
    ],
    [
      'with other settings of the upgrade',
      [passed, hourLater, day, { ...rehearsed, settings: 'd'.repeat(64) }],
      'the inputs of the upgrade, the pod template',
    ],
    [
      'with another schema',
      [passed, hourLater, day, { ...rehearsed, databases: { circle: ofSchema('b') } }],
      'the schema, the roles or the settings have changed (circle)',
    ],
    [
      'with another database',
      [passed, hourLater, day, { ...rehearsed, databases: { ...rehearsed.databases, more: ofSchema('a') } }],
      'have changed (more)',
    ],
    ...([{ systemIdentifier: '7000000000000000002' }, { claim: 'uid-of-another' }, { volume: 'pv-2' }] as const).map(
      (other): [string, Parameters<typeof whyInvalid>, string] => [
        `of another server or volume: ${JSON.stringify(other)}`,
        [passed, hourLater, day, { ...rehearsed, server: { ...server, ...other } }],
        'was of another server or of another volume',
      ],
    ),
  ])('but not %s', (_name, given, why) => {
    expect(whyInvalid(...given)).toContain(why);
  });
});
