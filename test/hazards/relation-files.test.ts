// Which files PostgreSQL 14 has for its relations after a real pg_upgrade, and that files of others are seen.
import { copyFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { compareFiles, comparePages } from '../../src/database/compare-files.ts';
import { compareFingerprints } from '../../src/database/compare-fingerprints.ts';
import type { Fingerprint } from '../../src/database/fingerprint.ts';
import { measure } from '../../src/database/measurement.ts';
import { keptDirectory, listFiles, readPages } from '../../src/database/relation-files.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

const limit = 60_000;
let installations: Installations;

beforeAll(() => {
  installations = new Installations();
});

afterAll(() => {
  installations.remove();
});

const content = `
CREATE TABLE public.builds AS SELECT g AS id, repeat('x', 100) AS label FROM generate_series(1, 5000) g;
CREATE TABLE public.jobs AS SELECT g AS id, repeat('y', 100) AS label FROM generate_series(1, 5000) g;
CREATE TABLE public.wide (body text); ALTER TABLE public.wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO public.wide SELECT repeat(md5(g::text), 200) FROM generate_series(1, 50) g;
CREATE UNLOGGED TABLE public.fleeting AS SELECT generate_series(1, 100) AS n;
CREATE TABLE public.parts (at date, n int) PARTITION BY RANGE (at);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO public.parts SELECT '2026-01-01', g FROM generate_series(1, 500) g;
CREATE MATERIALIZED VIEW public.sums AS SELECT at, sum(n) FROM public.parts GROUP BY at;
CREATE MATERIALIZED VIEW public.unpopulated AS SELECT 1 AS a WITH NO DATA;
CREATE TABLE public.nothing (a int);
CREATE TABLE public.far (a int) TABLESPACE other; INSERT INTO public.far SELECT generate_series(1, 99);
SELECT lo_from_bytea(4711, decode(repeat('feed', 5000), 'hex'));
VACUUM public.builds; VACUUM public.jobs;`;

/** PostgreSQL 12 with some of everything, measured, and upgraded; PostgreSQL 14 beside the directory that the Job would keep. */
async function upgraded(name: string, transfer: 'link' | 'copy'): Promise<{ server: Server; before: Fingerprint }> {
  const old = new Server(installations, `${name}-old`);
  old.initialise();
  old.start();
  old.createLogin();
  const place = installations.directoryOf(join('clusters', `${name}-old`, 'other'));
  old.sql('template1', `CREATE TABLESPACE other LOCATION '${place}';`);
  old.sql('template1', 'CREATE DATABASE circle;');
  old.sql('circle', content);
  const before = (await measure(old.database(), 2, limit)).fingerprint;
  old.stop();
  const { status, output, fresh: server } = pgUpgrade(old, `${name}-new`, { transfer });
  if (status !== 0) throw new Error(output);
  renameSync(old.data, keptDirectory(server.data));
  writeFileSync(join(server.data, '.postgresql-upgrade'), `run=1\ntransfer=${transfer}\n`);
  server.start();
  return { server, before };
}

const again = async (server: Server, before: Fingerprint) =>
  (await measure(server.database(), 2, limit, { before })).fingerprint;

/** Path of a table's file in PostgreSQL 14. */
const fileOf = (server: Server, table: string) =>
  join(server.data, server.sql('circle', `SELECT pg_relation_filepath('${table}')`).trim());

/** While the server is stopped: its pages are in no memory then. */
function whileStopped(server: Server, change: () => void): void {
  server.stop();
  change();
  server.start();
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.away`);
  renameSync(other, one);
  renameSync(`${one}.away`, other);
}

describe('with --link', () => {
  let server: Server;
  let before: Fingerprint;

  beforeAll(async () => {
    ({ server, before } = await upgraded('linked', 'link'));
  });

  afterAll(() => {
    server.stop();
  });

  async function differences(): Promise<string[]> {
    const after = await again(server, before);
    const { files } = await listFiles(server.database(), server.data, limit);
    if (files === undefined) throw new Error('no list');
    return [...compareFingerprints(before, after), ...compareFiles(before, after, files)];
  }

  test('each relation has its own files, and is measured as before', async () => {
    expect(Object.keys(before.databases['circle']?.files ?? {}).sort()).toEqual(
      [
        'pg_catalog.pg_largeobject',
        ...['builds', 'far', 'fleeting', 'jobs', 'nothing', 'parts_1', 'sums', 'unpopulated', 'wide'].map(
          (table) => `public.${table}`,
        ),
      ].sort(),
    );
    expect(before.databases['circle']?.files?.['public.wide']).toMatch(/^base\/\d+\/\d+ base\/\d+\/\d+$/);
    expect(before.databases['circle']?.files?.['public.far']).toMatch(/^pg_tblspc\/\d+\/PG_12_\d+\/\d+\/\d+$/);
    expect(await differences()).toEqual([]);
    // So it is with what PostgreSQL 14 writes by itself.
    server.sql('circle', 'VACUUM (FREEZE); ANALYZE; CHECKPOINT;');
    expect(await differences()).toEqual([]);
    const pages = await readPages(
      server.database(),
      server.data,
      { before, after: await again(server, before) },
      limit,
    );
    expect(comparePages(before, await again(server, before), pages)).toEqual([]);
  });

  test('tables with the files of each other are found, though their rows are as many', async () => {
    const [builds, jobs] = [fileOf(server, 'builds'), fileOf(server, 'jobs')];
    whileStopped(server, () => {
      swap(builds, jobs);
    });
    expect(await differences()).toEqual([
      expect.stringMatching(/^circle: public\.builds: another file base\//),
      expect.stringMatching(/^circle: public\.jobs: another file base\//),
    ]);
    whileStopped(server, () => {
      swap(builds, jobs);
    });
    expect(await differences()).toEqual([]);
  });

  test.each(['wide', 'fleeting', 'parts_1', 'sums', 'far', 'nothing', 'pg_largeobject'])(
    'a copy in the place of the file of %s is found',
    async (table) => {
      const file = fileOf(server, table);
      whileStopped(server, () => {
        renameSync(file, `${file}.away`);
        copyFileSync(`${file}.away`, file);
      });
      expect(await differences()).toEqual([expect.stringMatching(new RegExp(`${table}: another file `))]);
      whileStopped(server, () => {
        renameSync(`${file}.away`, file);
      });
      expect(await differences()).toEqual([]);
    },
  );

  test('a TOAST table without its file, and an unlogged table without its init fork, are found', async () => {
    const toast = join(
      server.data,
      server.sql('circle', "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname = 'wide'").trim(),
    );
    const init = `${fileOf(server, 'fleeting')}_init`;
    for (const file of [toast, init]) renameSync(file, `${file}.away`);
    expect((await differences()).sort()).toEqual([
      'circle: public.fleeting: another init fork',
      expect.stringMatching(/^circle: public\.wide: TOAST table: no file base\//),
    ]);
    for (const file of [toast, init]) renameSync(`${file}.away`, file);
    expect(await differences()).toEqual([]);
  });
});

describe('with --copy', () => {
  let server: Server;
  let before: Fingerprint;

  beforeAll(async () => {
    ({ server, before } = await upgraded('copied', 'copy'));
  });

  afterAll(() => {
    server.stop();
  });

  async function differences(): Promise<string[]> {
    const after = await again(server, before);
    const pages = await readPages(server.database(), server.data, { before, after }, limit);
    return comparePages(before, after, pages);
  }

  test('each relation has the pages that it had, also where PostgreSQL 14 has read or changed them', async () => {
    expect(await listFiles(server.database(), server.data, limit)).toEqual({ isLink: false });
    expect(await differences()).toEqual([]);
    server.sql('circle', 'VACUUM (FREEZE); SELECT count(*) FROM public.builds; CHECKPOINT;');
    expect(await differences()).toEqual([]);
  });

  test('tables with the files of each other are found', async () => {
    const [sums, wide] = [fileOf(server, 'sums'), fileOf(server, 'wide')];
    const kept = (table: string) =>
      join(keptDirectory(server.data), before.databases['circle']?.files?.[`public.${table}`]?.split(' ')[0] ?? '');
    // As pg_upgrade would have copied them: PostgreSQL 14 has written them since.
    whileStopped(server, () => {
      copyFileSync(kept('sums'), wide);
      copyFileSync(kept('wide'), sums);
    });
    const found = await differences();
    expect(found.map((line) => line.split(':')[1])).toEqual(expect.arrayContaining([' public.sums', ' public.wide']));
    expect(found).toHaveLength(2);
    whileStopped(server, () => {
      copyFileSync(kept('sums'), sums);
      copyFileSync(kept('wide'), wide);
    });
    expect(await differences()).toEqual([]);
  });

  test('a file that is shorter is found', async () => {
    const file = fileOf(server, 'builds');
    whileStopped(server, () => {
      truncateSync(file, statSync(file).size - 8192 * 20);
    });
    expect(await differences()).toEqual([expect.stringMatching(/^circle: public\.builds: \d+ bytes in base\//)]);
  });
});
