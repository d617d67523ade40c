import { describe, expect, test } from '@jest/globals';
import { answerError } from '../../../src/adapters/api-error.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { configMap, namespace, target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { recordOf } from '../upgrade/context.ts';
import { losingAnswer } from '../upgrade/lossy-cluster.ts';
import { seal } from '../upgrade/sealed.ts';

async function begin(cluster: FakeCluster, runId = 'run-1') {
  return await Journal.begin(cluster, namespace, seal, { ...recordOf(await target()), runId });
}

function dataOf(cluster: FakeCluster) {
  return cluster.peek('configmaps', journalName, namespace)?.data ?? {};
}

describe('the journal', () => {
  test('is not there before the first upgrade', async () => {
    expect(await Journal.find(new FakeCluster(), namespace, seal)).toBeUndefined();
  });

  test('records what will be changed and how it was, before anything is', async () => {
    const cluster = new FakeCluster();
    const journal = await begin(cluster);
    expect(journal.isClosed).toBe(false);
    expect(journal.record).toEqual(recordOf(await target()));
    expect((await Journal.find(cluster, namespace, seal))?.record).toEqual(journal.record);
    expect(journal.record.applications).toContainEqual(expect.objectContaining({ name: 'insights', replicas: 0 }));
  });

  test('can not be begun twice: what the first run recorded is kept', async () => {
    const cluster = new FakeCluster();
    await begin(cluster, 'run-1');
    const before = dataOf(cluster);
    const error = await thrownBy(() => begin(cluster, 'run-2'));
    expect(error.code).toBe('unfinished-upgrade');
    expect(error.message).toContain('run-1');
    expect(error.message).toContain('2026-01-02T03:04:05.000Z');
    expect(error.remedy.text).toContain('resumes');
    expect(dataOf(cluster)).toEqual(before);
  });

  test('two runs that begin at the same moment do not both get it', async () => {
    const cluster = new FakeCluster();
    const runs = await Promise.allSettled([begin(cluster, 'run-1'), begin(cluster, 'run-2')]);
    expect(runs.map((run) => run.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('is begun also where the answer to that is lost', async () => {
    const cluster = new FakeCluster();
    await (await begin(cluster, 'run-1')).note('outcome', 'reverted');
    const record = { ...recordOf(await target()), runId: 'run-2' };
    const journal = await Journal.begin(losingAnswer(cluster, 1).cluster, namespace, seal, record);
    expect([journal.isClosed, journal.record.runId]).toEqual([false, 'run-2']);
  });

  test.each(['upgraded', 'reverted'] as const)('of a run that ended as %s makes room', async (outcome) => {
    const cluster = new FakeCluster();
    await (await begin(cluster, 'run-1')).note('outcome', outcome);
    expect((await Journal.find(cluster, namespace, seal))?.noted.outcome).toBe(outcome);
    const journal = await begin(cluster, 'run-2');
    expect(journal.record.runId).toBe('run-2');
    expect(dataOf(cluster)).not.toHaveProperty('outcome');
  });

  test('notes facts beside the record, and never changes that', async () => {
    const cluster = new FakeCluster();
    const journal = await begin(cluster);
    const { record } = dataOf(cluster);
    await journal.note('step', 'quiesce');
    await journal.note('step', 'backup');
    await journal.note('backup', 'snap-1');
    const { counter, salt, seal: last, ...facts } = dataOf(cluster);
    expect(facts).toEqual({ record, step: 'backup', backup: 'snap-1' });
    expect([counter, salt, last]).toEqual([
      '4',
      expect.stringMatching(/^[0-9a-f]{32}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
  });

  test('notes several facts in one change, or none of them', async () => {
    const cluster = new FakeCluster();
    const journal = await begin(cluster);
    const before = cluster.patchesOf('configmaps', journalName).length;
    await journal.noteAll({ validated: true, statistics: 'pending' });
    expect(cluster.patchesOf('configmaps', journalName)).toHaveLength(before + 1);
    expect(journal.noted).toMatchObject({ validated: true, statistics: 'pending' });
    expect(dataOf(cluster)).toMatchObject({ validated: 'yes', statistics: 'pending', counter: '2' });
    const refused = journal.noteAll({ step: 'quiesce', live: 'not a name' });
    await expect(refused).rejects.toThrow();
    expect(journal.noted.step).toBeUndefined();
    expect(dataOf(cluster)).not.toHaveProperty('step');
  });

  test('notes only in the very object that it began: not in that of a later run', async () => {
    const cluster = new FakeCluster();
    const journal = await begin(cluster);
    cluster.remove('configmaps', journalName, namespace);
    const later = await begin(cluster, 'run-2');
    await expect(journal.note('step', 'quiesce')).rejects.toMatchObject({ code: 'journal-changed' });
    expect(dataOf(cluster)).not.toHaveProperty('step');
    await later.note('step', 'quiesce');
    const uid = cluster.peek('configmaps', journalName, namespace)?.metadata?.uid;
    expect(cluster.patchesOf('configmaps', journalName).at(-1)?.[0]).toEqual({
      op: 'test',
      path: '/metadata/uid',
      value: uid,
    });
  });

  test('that was deleted takes no note', async () => {
    const cluster = new FakeCluster();
    const journal = await begin(cluster);
    cluster.remove('configmaps', journalName, namespace);
    await expect(journal.note('step', 'quiesce')).rejects.toMatchObject({ code: 'not-found' });
  });

  test.each([
    ['no record', {}],
    ['text', { record: 'text' }],
    ['JSON that was cut', { record: '{"schema":1,"runId":"x"' }],
    ['another schema', { record: JSON.stringify({ schema: 2 }) }],
    ['a record without fields', { record: JSON.stringify({ schema: 1, runId: 'x' }) }],
    ['a foreign object, though it has an outcome', { outcome: 'upgraded' }],
  ])('with %s is refused, and left as it is', async (_what, data) => {
    const cluster = new FakeCluster().put('configmaps', configMap(journalName, data));
    const error = await thrownBy(() => begin(cluster));
    expect(error.code).toBe('journal-not-authentic');
    expect(error.message).toContain(journalName);
    expect(error.remedy.text).toMatch(/\S/);
    expect(cluster.writes).toEqual([]);
  });

  test('that may not be read ends the run', async () => {
    const cluster = new FakeCluster().refuse('find', 'configmaps', 403, 'forbidden');
    await expect(begin(cluster)).rejects.toMatchObject({ code: 'forbidden' });
    expect(cluster.writes).toEqual([]);
  });
});

describe('a journal that somebody has made immutable', () => {
  async function immutable() {
    const cluster = new FakeCluster();
    const journal = await begin(cluster);
    const now = cluster.peek('configmaps', journalName, namespace);
    cluster.put('configmaps', { ...now, metadata: { ...now?.metadata, finalizers: ['a/b'] }, immutable: true });
    return { cluster, journal };
  }

  test('is made again with the same content, and goes on', async () => {
    const { cluster, journal } = await immutable();
    await journal.note('step', 'quiesce');
    await journal.note('step', 'backup');
    expect(cluster.peek('configmaps', journalName, namespace)).not.toHaveProperty('immutable');
    expect((await Journal.find(cluster, namespace, seal))?.noted).toEqual({ step: 'backup' });
  });

  test('is made again by the next note where that has failed', async () => {
    const { cluster, journal } = await immutable();
    let isAway = true;
    cluster.hooks.push(({ method, resource }) => {
      if (isAway && method === 'create' && resource === 'configmaps') throw answerError('create', 503, '');
    });
    await expect(journal.note('step', 'quiesce')).rejects.toMatchObject({ code: 'server-error' });
    isAway = false;
    await journal.note('step', 'backup');
    expect((await Journal.find(cluster, namespace, seal))?.noted).toEqual({ step: 'backup' });
  });

  test('and may not be removed is told, with the command that makes it again', async () => {
    const { cluster, journal } = await immutable();
    cluster.refuse('delete', 'configmaps', 403, 'no');
    const error = await thrownBy(() => journal.note('step', 'quiesce'));
    expect(error.code).toBe('journal-immutable');
    expect(error.remedy.text).toContain('| kubectl replace --force -f -`');
  });

  test('and has ended makes room for the next one', async () => {
    const cluster = new FakeCluster();
    await (await begin(cluster)).note('outcome', 'reverted');
    cluster.put('configmaps', { ...cluster.peek('configmaps', journalName, namespace), immutable: true });
    expect((await begin(cluster, 'run-2')).record.runId).toBe('run-2');
    expect(cluster.peek('configmaps', journalName, namespace)).not.toHaveProperty('immutable');
  });

  test('is left alone where it was changed too', async () => {
    const { cluster, journal } = await immutable();
    const now = cluster.peek('configmaps', journalName, namespace);
    cluster.put('configmaps', { ...now, data: { ...now?.data, x: 'y' } });
    await expect(journal.note('step', 'quiesce')).rejects.toMatchObject({ code: 'journal-changed' });
    expect(cluster.peek('configmaps', journalName, namespace)?.data).toHaveProperty('x');
  });
});
