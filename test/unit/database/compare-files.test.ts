import { describe, expect, test } from '@jest/globals';
import { compareFiles, comparePages } from '../../../src/database/compare-files.ts';
import type { Fingerprint } from '../../../src/database/fingerprint.ts';
import type { BothDirectories, FoundFile, FoundPage, FoundPages } from '../../../src/database/relation-files.ts';

const withFiles = (files: Record<string, string>): Fingerprint => ({
  databases: { circle: { relations: {}, extensions: [], files } },
});

const before = withFiles({
  'public.builds': 'base/16384/17000 base/16384/17003',
  'public.far': 'pg_tblspc/16400/PG_12_201909212/16384/17010',
  'public.sums': 'base/16384/17020',
  'public.fleeting': 'base/16384/17030',
  'pg_catalog.pg_largeobject': 'base/16384/2613',
});
const after = withFiles({
  'public.builds': 'base/20000/18000 base/20000/18003',
  'public.far': 'pg_tblspc/16390/PG_14_202107181/20000/18010',
  'public.sums': 'base/20000/18020',
  'public.fleeting': 'base/20000/18030',
  'pg_catalog.pg_largeobject': 'base/20000/2613',
});

const gibibyte = 1024 ** 3;
type Files = Record<string, [inode: string, bytes: number]>;
/** As pg_upgrade --link leaves them: the second segment of the TOAST table is empty, and not transferred. */
const kept: Files = {
  'base/16384/17000': ['1', gibibyte],
  'base/16384/17000.1': ['2', gibibyte],
  'base/16384/17000.2': ['3', 8192],
  'base/16384/17000_fsm': ['4', 24_576],
  'base/16384/17000_vm': ['5', 8192],
  'base/16384/17003': ['6', 8192],
  'base/16384/17003.1': ['7', 0],
  'pg_tblspc/16400/PG_12_201909212/16384/17010': ['8', 16_384],
  'base/16384/17020': ['9', 0],
  'base/16384/17030': ['10', 8192],
  'base/16384/17030_init': ['11', 0],
  'base/16384/2613': ['12', 0],
};
const now: Files = {
  'base/20000/18000': ['1', gibibyte],
  'base/20000/18000.1': ['2', gibibyte],
  'base/20000/18000.2': ['3', 8192],
  'base/20000/18000_fsm': ['4', 24_576],
  'base/20000/18000_vm': ['5', 8192],
  'base/20000/18003': ['6', 8192],
  'pg_tblspc/16390/PG_14_202107181/20000/18010': ['8', 16_384],
  'base/20000/18020': ['9', 0],
  'base/20000/18030': ['10', 8192],
  'base/20000/18030_init': ['111', 0],
  'base/20000/2613': ['12', 0],
};

const listed = (files: Files) =>
  new Map(Object.entries(files).map(([path, [inode, bytes]]): [string, FoundFile] => [path, { inode, bytes }]));
const without = <T>(files: Record<string, T>, path: string) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => name !== path));
const linked = (change: Files, removed = ''): BothDirectories<FoundFile> => ({
  kept: listed(kept),
  now: listed({ ...without(now, removed), ...change }),
});

describe('with --link', () => {
  test('the same files, wherever they are by now, are no difference', () => {
    expect(compareFiles(before, after, linked({}))).toEqual([]);
  });

  test('two tables with the files of each other are two differences', () => {
    const swapped = linked({ 'base/20000/18020': ['10', 8192], 'base/20000/18030': ['9', 0] });
    expect(compareFiles(before, after, swapped)).toEqual([
      'circle: public.sums: another file base/20000/18020, which was base/16384/17020',
      'circle: public.fleeting: another file base/20000/18030, which was base/16384/17030',
    ]);
  });

  test.each<[string, BothDirectories<FoundFile>, string]>([
    [
      'a segment is missing',
      linked({}, 'base/20000/18000.1'),
      'public.builds: no file base/20000/18000.1, which was base/16384/17000.1',
    ],
    [
      'a segment is another file of the same size',
      linked({ 'base/20000/18000.2': ['99', 8192] }),
      'public.builds: another file base/20000/18000.2, which was base/16384/17000.2',
    ],
    [
      'there is a segment more',
      linked({ 'base/20000/18000.3': ['99', 8192] }),
      'public.builds: a file base/20000/18000.3 that is not its own',
    ],
    [
      'the TOAST table is missing',
      linked({}, 'base/20000/18003'),
      'public.builds: TOAST table: no file base/20000/18003, which was base/16384/17003',
    ],
    [
      'a file in a tablespace is another one',
      linked({ 'pg_tblspc/16390/PG_14_202107181/20000/18010': ['99', 16_384] }),
      'public.far: another file pg_tblspc/16390/PG_14_202107181/20000/18010, which was pg_tblspc/16400/PG_12_201909212/16384/17010',
    ],
    [
      'a materialized view has no file',
      linked({}, 'base/20000/18020'),
      'public.sums: no file base/20000/18020, which was base/16384/17020',
    ],
    ['an unlogged table has no init fork', linked({}, 'base/20000/18030_init'), 'public.fleeting: another init fork'],
    ['a table has become unlogged', linked({ 'base/20000/18020_init': ['99', 0] }), 'public.sums: another init fork'],
    [
      'a visibility map is missing',
      linked({}, 'base/20000/18000_vm'),
      'public.builds: no file base/20000/18000_vm, which was base/16384/17000_vm',
    ],
    [
      'a visibility map is that of another table',
      linked({ 'base/20000/18020_vm': ['5', 8192] }),
      'public.sums: a file base/20000/18020_vm that is not its own',
    ],
    [
      'large objects have another file',
      linked({ 'base/20000/2613': ['99', 0] }),
      'pg_catalog.pg_largeobject: another file base/20000/2613, which was base/16384/2613',
    ],
    [
      'PostgreSQL 12 has no file any more',
      { kept: listed(without(kept, 'base/16384/17020')), now: listed(now) },
      'public.sums: no file base/16384/17020 of PostgreSQL 12',
    ],
  ])('%s', (_what, files, difference) => {
    expect(compareFiles(before, after, files)).toEqual([`circle: ${difference}`]);
  });

  test('maps that PostgreSQL 14 has made since, and what autovacuum has cut off, are no difference', () => {
    const cut = { ...kept, 'base/16384/17000.2': ['3', 0] } satisfies Files;
    const files = linked({ 'base/20000/18000.2': ['3', 0], 'base/20000/18020_vm': ['99', 8192] });
    expect(compareFiles(before, after, { ...files, kept: listed(cut) })).toEqual([]);
    expect(compareFiles(before, after, { kept: listed(cut), now: listed(without(now, 'base/20000/18000.2')) })).toEqual(
      [],
    );
  });

  test('a TOAST table more or less is a difference; a table that is missing is told elsewhere', () => {
    const toasted = withFiles({ ...after.databases['circle']?.files, 'public.builds': 'base/20000/18000' });
    expect(compareFiles(before, toasted, linked({}))).toEqual(['circle: public.builds: another TOAST table after']);
    expect(compareFiles(before, { databases: {} }, linked({}))).toEqual([]);
  });
});

const page = (lsn: number, digest = 'd'): FoundPage => ({ lsn: BigInt(lsn), digest });
type Pages = Record<string, FoundPages>;
const file = (bytes: number | null, first: FoundPage | null, last = first, isUnlogged = false): FoundPages => ({
  ...{ bytes, isUnlogged, first, last },
});
const keptPages: Pages = {
  'base/16384/17000': file(gibibyte, page(10), page(20)),
  'base/16384/17000.1': file(81_920, page(30), page(40)),
  'base/16384/17003': file(0, null),
  'pg_tblspc/16400/PG_12_201909212/16384/17010': file(8192, page(50)),
  'base/16384/17020': file(8192, page(60)),
  'base/16384/17030': file(8192, page(0), page(0), true),
  'base/16384/2613': file(0, null),
};
const pagesNow: Pages = {
  'base/20000/18000': file(gibibyte, page(10), page(20)),
  'base/20000/18000.1': file(81_920, page(30), page(40)),
  'base/20000/18003': file(0, null),
  'pg_tblspc/16390/PG_14_202107181/20000/18010': file(8192, page(50)),
  'base/20000/18020': file(8192, page(60)),
  'base/20000/18030': file(8192, page(0, 'pruned'), page(0), true),
  'base/20000/2613': file(0, null),
};
const copied = (change: Pages, removed = ''): BothDirectories<FoundPages> => ({
  kept: new Map(Object.entries(keptPages)),
  now: new Map(Object.entries({ ...without(pagesNow, removed), ...change })),
});

describe('with --clone and --copy', () => {
  test.each<[string, BothDirectories<FoundPages>]>([
    ['the same pages', copied({})],
    ['a page that PostgreSQL 14 has changed since', copied({ 'base/20000/18020': file(8192, page(61, 'other')) })],
    ['a tail that autovacuum has cut off', copied({ 'base/20000/18000.1': file(8192, page(30)) })],
    ['a segment that is empty by now', copied({ 'base/20000/18000.1': file(0, null) })],
  ])('%s are no difference', (_what, files) => {
    expect(comparePages(before, after, files)).toEqual([]);
  });

  test('two tables with the files of each other are a difference', () => {
    const swapped = copied({
      'pg_tblspc/16390/PG_14_202107181/20000/18010': file(8192, page(60)),
      'base/20000/18020': file(8192, page(50)),
    });
    expect(comparePages(before, after, swapped)).toHaveLength(2);
  });

  test.each<[string, BothDirectories<FoundPages>, string]>([
    [
      'another first page',
      copied({ 'base/20000/18020': file(8192, page(60, 'other')) }),
      'public.sums: other pages in base/20000/18020 than in base/16384/17020',
    ],
    [
      'another last page of a segment',
      copied({ 'base/20000/18000': file(gibibyte, page(10), page(21)) }),
      'public.builds: other pages in base/20000/18000 than in base/16384/17000',
    ],
    [
      'a segment without its end',
      copied({ 'base/20000/18000': file(gibibyte / 2, page(10)) }),
      'public.builds: 536952832 bytes in base/20000/18000, and 1073823744 in base/16384/17000',
    ],
    [
      'a table that has grown',
      copied({ 'base/20000/18020': file(16_384, page(60)) }),
      'public.sums: 16384 bytes in base/20000/18020, and 8192 in base/16384/17020',
    ],
    [
      'no file',
      copied({ 'base/20000/18020': file(null, null) }),
      'public.sums: no file base/20000/18020, which was base/16384/17020',
    ],
    [
      'no TOAST table',
      copied({}, 'base/20000/18003'),
      'public.builds: TOAST table: no file base/20000/18003, which was base/16384/17003',
    ],
    ['no init fork', copied({ 'base/20000/18030': file(8192, page(0)) }), 'public.fleeting: another init fork'],
  ])('%s', (_what, files, difference) => {
    expect(comparePages(before, after, files)).toEqual([`circle: ${difference}`]);
  });
});
