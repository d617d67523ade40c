import { describe, expect, test } from '@jest/globals';
import { nodeCrypto } from '../../../src/adapters/crypto.ts';
import { counterAnnotation, openAnnotation } from '../../../src/journal/counter.ts';
import type { LeasedCluster } from '../../../src/ports/cluster.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { JournalSeal } from '../../../src/journal/seal.ts';
import { FakeCrypto } from '../fake-crypto.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace, password, persistentVolume, target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { recordOf } from './context.ts';
import { losingAnswer } from './lossy-cluster.ts';
import { forgetJournal, seal } from './sealed.ts';

const record = recordOf(await target());

function world(): FakeCluster {
  return new FakeCluster().put('persistentvolumes', persistentVolume());
}

async function begun(cluster: FakeCluster): Promise<Journal<LeasedCluster>> {
  return await Journal.begin(cluster, namespace, seal, record);
}

const dataOf = (cluster: FakeCluster) => cluster.peek('configmaps', journalName, namespace)?.data ?? {};

const countOf = (cluster: FakeCluster, volume = 'pv-1') =>
  cluster.peek('persistentvolumes', volume)?.metadata?.annotations?.[counterAnnotation];

const without = (data: Record<string, string>, left: string) =>
  Object.fromEntries(Object.entries(data).filter(([name]) => name !== left));

/** Somebody else writes to the ConfigMap. */
function write(cluster: FakeCluster, change: (data: Record<string, string>) => Record<string, string>): void {
  const now = cluster.peek('configmaps', journalName, namespace);
  if (now !== undefined) cluster.put('configmaps', { ...now, data: change(now.data ?? {}) });
}

async function refusal(cluster: FakeCluster, by = seal) {
  cluster.calls.length = 0;
  const error = await thrownBy(() => Journal.find(cluster, namespace, by, 'pv-1'));
  expect(cluster.writes).toEqual([]);
  return error;
}

describe('a journal is authentic', () => {
  test('as it was written, for every run that has the password', async () => {
    const cluster = world();
    const journal = await begun(cluster);
    await journal.note('step', 'quiesce');
    await journal.note('released', { at: new Date('2026-01-02T03:04:05Z'), wal: '16/B374D848' });
    const another = await Journal.find(cluster, namespace, new JournalSeal(new FakeCrypto(), password), 'pv-1');
    expect(another?.record).toEqual(record);
    expect(another?.noted).toEqual(journal.noted);
  });

  test.each<[string, (data: Record<string, string>) => Record<string, string>]>([
    ['a note is changed', (data) => ({ ...data, step: 'activate' })],
    ['a note is added', (data) => ({ ...data, back: 'Because.' })],
    ['a note is taken away', (data) => without(data, 'step')],
    ['the record is changed', (data) => ({ ...data, record: data['record']?.replace('run-1', 'run-2') ?? '' })],
    ['the counter is changed', (data) => ({ ...data, counter: '99' })],
    ['two values change places', ({ step = '', counter = '', ...data }) => ({ ...data, step: counter, counter: step })],
    ['the seal is taken away', (data) => without(data, 'seal')],
    ['the salt is another one', (data) => ({ ...data, salt: '0'.repeat(32) })],
    ['the salt is none', (data) => ({ ...data, salt: 'x' })],
    ['the seal is empty', (data) => ({ ...data, seal: '' })],
    ['nothing is left', () => ({})],
  ])('and not when %s', async (_what, change) => {
    const cluster = world();
    await (await begun(cluster)).note('step', 'quiesce');
    write(cluster, change);
    const error = await refusal(cluster);
    expect(error.code).toBe('journal-not-authentic');
    expect(error.remedy.text).toContain(`confirm: ${namespace} without the journal`);
    expect(error.remedy.text).toContain(`kubectl -n ${namespace} delete configmap ${journalName}`);
  });

  test('and not once the Secret has another value, which is told with both ways on', async () => {
    const cluster = world();
    await begun(cluster);
    const error = await refusal(cluster, new JournalSeal(new FakeCrypto(), 'another password'));
    expect(error.code).toBe('journal-not-authentic');
    expect(error.message).toContain("changed the value of the superuser's Secret");
    expect(error.remedy.text).toContain('restore its former value');
  });

  test('and not in another namespace', async () => {
    const cluster = world();
    await begun(cluster);
    const { metadata, ...rest } = cluster.peek('configmaps', journalName, namespace) ?? {};
    cluster.put('configmaps', { ...rest, metadata: { ...metadata, namespace: 'other' } });
    await expect(Journal.find(cluster, 'other', seal)).rejects.toMatchObject({ code: 'journal-not-authentic' });
  });

  test('with the real key too, which is derived once for a run', async () => {
    const cluster = world();
    let derived = 0;
    const counting = new JournalSeal(
      {
        ...nodeCrypto,
        deriveKey(given, salt) {
          derived++;
          return nodeCrypto.deriveKey(given, salt);
        },
      },
      password,
    );
    const journal = await Journal.begin(cluster, namespace, counting, record);
    await journal.note('step', 'quiesce');
    expect((await Journal.find(cluster, namespace, counting, 'pv-1'))?.noted.step).toBe('quiesce');
    expect(derived).toBe(1);
    const { message } = await refusal(cluster, new JournalSeal(nodeCrypto, `${password}!`));
    expect(message).not.toContain(password);
  });
});

describe('the counter', () => {
  test('grows with each change, in the journal and on the volume', async () => {
    const cluster = world();
    const journal = await begun(cluster);
    expect([journal.counter, countOf(cluster)]).toEqual([1, '1']);
    await journal.note('step', 'quiesce');
    await journal.note('step', 'backup');
    expect([journal.counter, countOf(cluster)]).toEqual([3, '3']);
  });

  test.each(['open', 'closed'])('tells an older journal that is put back after one that was %s', async (how) => {
    const cluster = world();
    const journal = await begun(cluster);
    await journal.note('step', 'quiesce');
    const older = dataOf(cluster);
    await journal.note('step', 'activate');
    if (how === 'closed') await journal.note('outcome', 'upgraded');
    write(cluster, () => older);
    const error = await refusal(cluster);
    expect(error.code).toBe('journal-replayed');
    expect(error.message).toContain('It is at change 2');
    expect(error.remedy.text).toContain('without the journal');
  });

  test('tells a journal of an upgrade before, also when the later journal is gone', async () => {
    const cluster = world();
    await (await begun(cluster)).note('outcome', 'reverted');
    const older = dataOf(cluster);
    await (await begun(cluster)).note('step', 'quiesce');
    write(cluster, () => older);
    expect((await refusal(cluster)).code).toBe('journal-replayed');
    forgetJournal(cluster);
    const journal = await begun(cluster);
    expect(journal.counter).toBeGreaterThan(4);
  });

  test('goes with the volume that takes the place of the server’s', async () => {
    const cluster = world().put('persistentvolumes', { metadata: { name: 'pv-2' } });
    const journal = await begun(cluster);
    const older = dataOf(cluster);
    const claim = {
      metadata: { name: record.claim, namespace, labels: {}, annotations: {} },
      spec: { volumeName: 'pv-2' },
    };
    await journal.note('exchange', { claim, volume: 'pv-2', former: 'pv-1' });
    expect([countOf(cluster), countOf(cluster, 'pv-2')]).toEqual(['2', '2']);
    await journal.note('undone', 'quiesce');
    expect(countOf(cluster, 'pv-2')).toBe('3');
    cluster.remove('persistentvolumes', 'pv-1');
    write(cluster, () => older);
    await expect(Journal.find(cluster, namespace, seal, 'pv-2')).rejects.toMatchObject({ code: 'journal-replayed' });
  });

  test('is no alarm for a run that was killed before it counted on the volume, nor beside one that is at work', async () => {
    const cluster = world().refuse('patch', 'persistentvolumes', 403, 'killed');
    await expect(begun(cluster)).rejects.toMatchObject({ code: 'forbidden' });
    expect((await Journal.find(cluster, namespace, seal, 'pv-1'))?.counter).toBe(1);
    const busy = world();
    const journal = await begun(busy);
    let noted = false;
    busy.hooks.push(({ method, resource }) => {
      if (method !== 'find' || resource !== 'configmaps' || noted) return;
      noted = true;
      void journal.note('step', 'quiesce');
    });
    expect((await Journal.find(busy, namespace, seal, 'pv-1'))?.record).toEqual(record);
  });

  test('keeps what others have written on the volume, and finds its way where the answer is lost', async () => {
    for (let at = 1; at <= 4; at++) {
      const cluster = new FakeCluster().put('persistentvolumes', {
        ...persistentVolume(),
        metadata: { name: 'pv-1', annotations: { 'pv.kubernetes.io/provisioned-by': 'csi.example.com' } },
      });
      const lossy = losingAnswer(cluster, at);
      const journal = await Journal.begin(lossy.cluster, namespace, seal, record).catch(() => begun(cluster));
      await journal.note('step', 'quiesce');
      expect(cluster.peek('persistentvolumes', 'pv-1')?.metadata?.annotations).toEqual({
        'pv.kubernetes.io/provisioned-by': 'csi.example.com',
        [counterAnnotation]: String(journal.counter),
        [openAnnotation]: 'true',
      });
    }
  });
});

test('a note is refused where somebody else wrote to the journal meanwhile, and recognised where its answer was lost', async () => {
  const cluster = world();
  const journal = await begun(cluster);
  for (const change of [{ back: 'Because.' }, { counter: '7', seal: 'another' }]) {
    write(cluster, (data) => ({ ...data, ...change }));
    const error = await thrownBy(() => journal.note('step', 'quiesce'));
    expect(error.code).toBe('journal-changed');
  }
  const lossy = world();
  const other = await Journal.begin(lossy, namespace, seal, record);
  const over = losingAnswer(lossy, 1);
  const there = await Journal.find(over.cluster, namespace, seal, 'pv-1');
  await there?.note('step', 'quiesce');
  expect(dataOf(lossy)).toMatchObject({ step: 'quiesce', counter: String(other.counter + 1) });
});
