import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { noteCodecs, type Notes } from '../../../src/journal/notes.ts';
import fc from '../../fast-check.ts';

type Name = keyof Notes;

/** As a run of this action wrote them into its ConfigMap: what a run that is older than this one began, this one goes on with. */
const written = JSON.parse(await readFile(new URL('./journal-notes.json', import.meta.url), 'utf8')) as Record<
  Name,
  string
>;

const decoded: Notes = {
  step: 'activate',
  downSince: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
  measured: {
    databases: {
      'my "db"': {
        relations: { "public.it's": '42 rows', 'public.big': '1099511627776 bytes', 'public.s': '-7 last_value' },
        extensions: ['plpgsql', 'pgcrypto'],
      },
      empty: { relations: {}, extensions: [] },
    },
  },
  backup: 'data-postgresql-0-before-upgrade-20260102030405',
  copying: 'data-postgresql-0-before-upgrade-20260102030405',
  live: 'data-postgresql-0-live-20260102030405',
  mark: { snapshot: 'data-postgresql-0-live-20260102030405', position: '16/B374D848' },
  cuts: 'in-time',
  rehearsal: { run: 'https://github.com/a/b/actions/runs/1/attempts/1', at: '2026-01-02T03:04:05.000Z' },
  served: 'data-postgresql-0-of-14-20260102030405',
  copy: new Date(Date.UTC(2026, 0, 2, 3, 4, 6)),
  upgradeJob: 'again',
  exchange: {
    claim: {
      metadata: {
        name: 'data-postgresql-0',
        namespace: 'circleci-server',
        labels: { 'app.kubernetes.io/name': 'postgresql' },
        annotations: {},
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        volumeMode: 'Filesystem',
        resources: { requests: { storage: '8Gi' } },
        volumeName: 'pv-2',
      },
    },
    volume: 'pv-2',
    former: 'pv-1',
  },
  released: { at: new Date(Date.UTC(2026, 0, 2, 3, 4, 7)), wal: '16/B374D848' },
  letIn: 'deployments/frontend, statefulsets/vault at 2026-01-02T03:04:08.000Z',
  rollback: '"mode: rollback" was asked for by https://github.com/a/b/actions/runs/1/attempts/1',
  back: 'Compare the data with what was measured before: it differs.',
  undone: 'quiesce',
  sortOrders: {
    circle: [
      {
        ...{ collation: 'default', provider: 'libc', collate: 'en_US.UTF-8', ctype: 'en_US.UTF-8' },
        ...{ indexes: 3, bytes: 4096, digest: 'ac95' },
      },
    ],
    postgres: [],
  },
  validated: true,
  statistics: 'pending',
  outcome: 'reverted',
};

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
/** What is between the year 0 and the year 9999 is written with four digits. */
const time = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});
const sentence = fc.string({ unit: fc.constantFrom(...'abc. :"\'{}\\,ä€😀') });
/** Of PostgreSQL: anything but NUL. */
const identifier = fc.string({ unit: 'grapheme', maxLength: 10 }).filter((text) => !text.includes('\0'));
const step = fc.constantFrom(...(['protect-volume', 'quiesce', 'backup', 'restore-applications', 'finish'] as const));
const position = fc.stringMatching(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/);
const count = fc
  .tuple(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom('rows', 'bytes', 'last_value', 'next_value'))
  .map(([value, what]) => `${String(value)} ${what}`);
/** With or without a TOAST table, in a tablespace or not; a journal from before has no files at all. */
const file = fc.stringMatching(/^(base|pg_tblspc\/\d{5}\/PG_12_201909212)\/\d{1,10}\/\d{1,10}$/);
const files = fc.oneof(
  file,
  fc.tuple(file, file).map((both) => both.join(' ')),
);
const byName = <T>(value: fc.Arbitrary<T>) => fc.dictionary(identifier, value, { noNullPrototype: true, maxKeys: 4 });
const sortOrder = fc.record({
  collation: identifier,
  provider: fc.constantFrom('libc' as const, 'icu' as const),
  collate: fc.constantFrom('C', 'en_US.UTF-8'),
  ctype: fc.constantFrom('C', 'de_DE@euro'),
  indexes: fc.nat(),
  bytes: fc.maxSafeNat(),
  digest: fc.stringMatching(/^[0-9a-z]{1,64}$/),
});

/** Any value that a note may have. */
const any: { readonly [N in Name]: fc.Arbitrary<Notes[N]> } = {
  step,
  downSince: time,
  measured: fc.record({
    databases: byName(
      fc.record(
        { relations: byName(count), extensions: fc.array(identifier, { maxLength: 3 }), files: byName(files) },
        { requiredKeys: ['relations', 'extensions'] },
      ),
    ),
  }),
  backup: fc.option(name),
  copying: name,
  live: name,
  mark: fc.record({ snapshot: name, position }),
  cuts: fc.constantFrom('in-time', 'late'),
  rehearsal: fc.record({
    run: fc.stringMatching(/^([-\w.:/@~%+]{1,500}|process \d{1,10})$/),
    at: time.map((date) => date.toISOString()),
  }),
  served: name,
  copy: time,
  upgradeJob: fc.constantFrom('once', 'again'),
  exchange: fc
    .tuple(name, name, name)
    .filter(([, volume, former]) => volume !== former)
    .map(([claim, volume, former]) => ({
      claim: {
        metadata: { name: claim, namespace: 'circleci-server', labels: {}, annotations: { note: 'ä\n' } },
        spec: { volumeName: volume },
      },
      ...{ volume, former },
    })),
  released: fc.record({ at: time, wal: position }),
  letIn: sentence,
  rollback: sentence,
  back: sentence,
  undone: step,
  sortOrders: byName(fc.array(sortOrder, { maxLength: 3 })),
  validated: fc.constant(true),
  statistics: fc.constantFrom('pending', 'complete'),
  outcome: fc.constantFrom('upgraded', 'reverted'),
};

const names = Object.keys(noteCodecs) as Name[];
const codecs = noteCodecs as Readonly<
  Record<Name, { encode(value: unknown): unknown; decode(text: unknown): unknown }>
>;

describe('each note of the journal', () => {
  test.each(names)('%s: what is written is read again as it was', async (note) => {
    const codec = codecs[note];
    const property = fc.asyncProperty(any[note] as fc.Arbitrary<unknown>, async (value) => {
      expect(await codec.decode(await codec.encode(value))).toEqual(value);
    });
    await fc.assert(property);
  });

  test.each(names)('%s: the text that runs have written so far is read, and written so again', async (note) => {
    const codec = codecs[note];
    expect(await codec.decode(written[note])).toEqual(decoded[note]);
    // How gzip packs is its own matter: other versions of it give other bytes.
    if (note !== 'measured') expect(await codec.encode(decoded[note])).toBe(written[note]);
  });

  test('is in the journals of before, and none else', () => {
    expect(Object.keys(written).sort()).toEqual(names.sort());
  });

  test('a backup that is older than the measurement is written as an empty text', async () => {
    expect(await noteCodecs.backup.encode(null)).toBe('');
    expect(await noteCodecs.backup.decode('')).toBeNull();
  });
});
