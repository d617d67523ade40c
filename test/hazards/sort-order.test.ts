// A locale that sorts in another way where PostgreSQL 14 runs: a real PostgreSQL 12, a real PostgreSQL 14, and indexes that mislead until they are rebuilt.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import type { Answer } from '../../src/findings/finding.ts';
import { readDatabases } from '../../src/database/server.ts';
import type { SortOrders } from '../../src/database/sort-order.ts';
import { rebuildIndexes } from '../../src/upgrade/steps/rebuild-indexes.ts';
import { facts, known } from '../unit/prechecks/facts.ts';
import { setUp } from '../unit/upgrade/context.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { probeFor, readSortOrders } from './probe-run.ts';
import { Installations, Server, type Locale } from './server.ts';

jest.setTimeout(300_000);

const name = 'en_US.UTF-8';
let installations: Installations;
let old: Server;
let before: SortOrders;
/** The same name, made of other sources: of the old image, and of the new one. */
let locales: { old: Locale; other: Locale };

/** Compiles a locale from the sources of one, under the name of another. */
function compiled(source: string): Locale {
  const directory = `${installations.directory}/locale-${source}`;
  execFileSync('mkdir', [directory]);
  execFileSync('localedef', ['-i', source, '-f', 'UTF-8', `${directory}/${name}`]);
  return { name, directory };
}

/** What the check says when the serving image has this locale. */
async function answer(locale: Locale): Promise<Answer> {
  const servingProbe = await probeFor(old, 'serving', { LOCPATH: locale.directory });
  const check = catalogue.find((c) => c.id === 'sort-order');
  if (check === undefined) throw new Error('there is no check sort-order');
  const databases = known(await readDatabases(old.database()));
  return check.run(await facts({ sortOrders: known(before), servingProbe: known(servingProbe), databases }));
}

/** How many of the words are found through the primary key. */
function found(server: Server): string {
  return server
    .sql(
      'words',
      `SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
CREATE TEMP TABLE hits (n int);
INSERT INTO hits SELECT (SELECT count(*) FROM words w WHERE w.word = l.word) FROM list l;
SELECT sum(n) FROM hits;`,
    )
    .trim();
}

function brokenIndexes(server: Server): string[] {
  return server
    .sql(
      'words',
      `CREATE EXTENSION IF NOT EXISTS amcheck;
CREATE OR REPLACE FUNCTION pg_temp.complaint(i regclass) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM bt_index_check(i, true); RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN i || ': ' || SQLERRM; END $$;
SELECT c FROM pg_index i, LATERAL (SELECT pg_temp.complaint(i.indexrelid) AS c) x WHERE indrelid IN ('words'::regclass) AND c IS NOT NULL ORDER BY 1;`,
    )
    .split('\n')
    .filter((line) => line !== '');
}

const fileOf = (server: Server, index: string) => server.sql('words', `SELECT pg_relation_filenode('${index}')`).trim();

beforeAll(async () => {
  installations = new Installations();
  // Swedish sorts å, ä and ö behind z, and other things at other places too.
  locales = { old: compiled('en_US'), other: compiled('sv_SE') };
  old = new Server(installations, 'old', 12, locales.old);
  old.initialise();
  old.start();
  old.createLogin();
  old.sql('postgres', 'CREATE DATABASE words');
  // A list without an index, to look for each of its words.
  old.sql(
    'words',
    `CREATE TABLE list AS SELECT chr(97 + i % 26) || c || j AS word FROM generate_series(0, 25) i, unnest(ARRAY['a', 'z', 'å', 'ä', 'ö', 'v', 'w']) c, generate_series(1, 15) j;
INSERT INTO list SELECT c || word FROM list, unnest(ARRAY['å', 'ö']) c LIMIT 500;
CREATE TABLE words (word text PRIMARY KEY, plain text COLLATE "C", n int);
INSERT INTO words SELECT DISTINCT word, word, length(word) FROM list;
CREATE INDEX words_plain ON words (plain);
CREATE INDEX words_n ON words (n);
CREATE INDEX words_lower ON words (lower(word));`,
  );
  before = await readSortOrders(old);
});

afterAll(() => {
  installations.remove();
});

describe('an index on text', () => {
  test('passes where the new image sorts alike', async () => {
    const same = await answer(locales.old);
    expect(same.status).toBe('passed');
    expect(same.evidence.join('\n')).toMatch(/words: collation default \(en_US\.UTF-8\), 2 indexes of .*: the same/);
  });

  test('warns of a rebuild where the locale of that name sorts differently', async () => {
    const other = await answer(locales.other);
    expect(other.status).toBe('warning');
    expect(other.evidence.join('\n')).toMatch(/words: collation default .*2 indexes .*: sorts differently in/);
    expect(other.remedy?.text).toContain('REINDEX');
  });

  test('misleads after the upgrade, and is right again once it was rebuilt; no other one is touched', async () => {
    const all = old.sql('words', 'SELECT count(*) FROM words').trim();
    expect(found(old)).toBe(old.sql('words', 'SELECT count(*) FROM list').trim());
    old.stop();
    const { output, fresh } = pgUpgrade(old, 'new', { locale: locales.other });
    expect(output).toContain('Upgrade Complete');
    fresh.start();
    expect(fresh.sql('words', 'SELECT count(*) FROM words').trim()).toBe(all);
    expect(Number(found(fresh))).toBeLessThan(Number(all));
    expect(brokenIndexes(fresh)).toEqual([
      expect.stringContaining('words_lower: item order invariant violated'),
      expect.stringContaining('words_pkey: item order invariant violated'),
    ]);
    const files = ['words_plain', 'words_n'].map((index) => fileOf(fresh, index));

    const upgrade = { ...(await setUp()).context, database: fresh.database() };
    await rebuildIndexes(upgrade, before, await readSortOrders(fresh));

    expect(found(fresh)).toBe(fresh.sql('words', 'SELECT count(*) FROM list').trim());
    expect(brokenIndexes(fresh)).toEqual([]);
    expect(['words_plain', 'words_n'].map((index) => fileOf(fresh, index))).toEqual(files);
    expect(upgrade.results.warnings).toEqual([
      expect.stringMatching(
        /Collations of database words sort text differently now \(default\)\. The action rebuilt 2 indexes/,
      ),
    ]);
    fresh.stop();
  });
});
