// What the passes of ANALYZE leave in a real PostgreSQL 14 that has no statistics, as after pg_upgrade.
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { fullStatistics, quickStatistics } from '../../src/database/statistics.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

const own = 'circle';
const limit = 120_000;

/** About 15 MB and 2 MB; a histogram of 100 bounds is worth its while in both. */
const rows = (count: number) =>
  `SELECT i AS id, i % 1000 AS kind, repeat('x', 100) AS pad FROM generate_series(1, ${String(count)}) i`;
const [many, some] = [rows(100_000), rows(10_000)];

let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'statistics', 14);
  server.initialise();
  server.start();
  server.createLogin();
});

beforeEach(() => {
  server.sql('template1', `DROP DATABASE IF EXISTS ${own};`);
  server.sql('template1', `CREATE DATABASE ${own};`);
});

afterAll(() => {
  server.stop();
  installations.remove();
});

/** @returns what it says is left */
async function pass(sql: string): Promise<readonly unknown[] | undefined> {
  return (await server.database().writeEach([own], sql, limit)).get(own);
}

/** Bounds of the longest histogram of each relation; 0 where it has statistics without one, -1 where it has none. */
function bounds(): Record<string, number> {
  const sql = `SELECT json_object_agg(c.relname, CASE WHEN EXISTS (SELECT FROM pg_statistic WHERE starelid = c.oid) THEN coalesce(
      (SELECT max(array_length(s.histogram_bounds, 1)) FROM pg_stats s WHERE s.schemaname = 'public' AND s.tablename = c.relname), 0) ELSE -1 END)
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm', 'p');`;
  return JSON.parse(server.sql(own, sql)) as Record<string, number>;
}

/** Changes with each ANALYZE of the relation. */
function age(relation: string): string {
  return server
    .sql(own, `SELECT max(xmin::text::bigint) FROM pg_statistic WHERE starelid = '${relation}'::regclass;`)
    .trim();
}

const parted = `CREATE TABLE public.events (id int, kind int, pad text) PARTITION BY RANGE (id);
  CREATE TABLE public.events_old PARTITION OF public.events FOR VALUES FROM (0) TO (5000);
  CREATE TABLE public.events_new PARTITION OF public.events FOR VALUES FROM (5000) TO (1000000);
  INSERT INTO public.events ${many};`;

describe('statistics that are rebuilt', () => {
  test('the quick pass reads large tables roughly, and all others in full', async () => {
    server.sql(
      own,
      `CREATE TABLE public.large AS ${many}; CREATE TABLE public.small AS ${some}; CREATE TABLE public.empty (id int);
       CREATE UNLOGGED TABLE public.unlogged AS ${some}; CREATE MATERIALIZED VIEW public.seen AS ${some};
       CREATE MATERIALIZED VIEW public.unseen AS ${some} WITH NO DATA; ${parted}`,
    );
    expect(Object.values(bounds())).toEqual(Object.keys(bounds()).map(() => -1));
    expect(await pass(quickStatistics)).toEqual([]);
    expect(bounds()).toEqual({
      ...{ large: 2, small: 101, empty: -1, unlogged: 101, seen: 101, unseen: -1 },
      ...{ events: 2, events_old: 101, events_new: 2 },
    });
  });

  test('the quick pass analyzes each table once, in a transaction of its own', async () => {
    const tables = Array.from({ length: 20 }, (_, i) => `CREATE TABLE public.t${String(i)} AS ${rows(i + 1)};`);
    server.sql(own, `${tables.join('\n')} CREATE TABLE public.large AS ${many};`);
    // From another database, so that the looks do not count.
    const counted = (what: string, of: string) => Number(server.sql('postgres', `SELECT ${what} FROM ${of}`));
    const commits = () => counted('xact_commit', `pg_stat_database WHERE datname = '${own}'`);
    const before = commits();
    await pass(quickStatistics);
    // The statistics collector hears of it when the session ends.
    for (let attempt = 0; attempt < 50 && commits() < before + 21; attempt++) await setTimeout(100);
    expect(commits()).toBeGreaterThan(before + 21);
    const analyses = "SELECT sum(analyze_count) FROM pg_stat_user_tables WHERE schemaname = 'public'";
    expect(Number(server.sql(own, analyses))).toBe(21);
  });

  test('the full pass takes what is rough, partitioned tables too, and nothing else', async () => {
    server.sql(own, `CREATE TABLE public.large AS ${many}; CREATE TABLE public.small AS ${some};`);
    await pass(quickStatistics);
    const small = age('small');
    expect(await pass(fullStatistics)).toEqual([]);
    expect([bounds(), age('small')]).toEqual([{ large: 101, small: 101 }, small]);
    // What another run finds has nothing to do for it.
    const large = age('large');
    expect(await pass(fullStatistics)).toEqual([]);
    expect(age('large')).toBe(large);
    server.sql(own, parted);
    await pass(quickStatistics);
    expect(await pass(fullStatistics)).toEqual([]);
    expect(bounds()).toEqual({ large: 101, small: 101, events: 101, events_old: 101, events_new: 101 });
  });

  test('the full pass alone is enough, where a run died before the quick one', async () => {
    server.sql(own, `CREATE TABLE public.large AS ${many}; CREATE TABLE public."sm""all" AS ${some}; ${parted}`);
    expect(await pass(fullStatistics)).toEqual([]);
    expect(bounds()).toEqual({ large: 101, 'sm"all': 101, events: 101, events_old: 101, events_new: 101 });
  });

  test('the catalogs have full statistics too', async () => {
    const columns = Array.from({ length: 30 }, (_, i) => `c${String(i)} int`).join(', ');
    const tables = Array.from({ length: 50 }, (_, i) => `CREATE TABLE public.t${String(i)} (${columns});`);
    server.sql(own, tables.join('\n'));
    await pass(quickStatistics);
    const sql = `SELECT array_length(histogram_bounds, 1) FROM pg_stats WHERE tablename = 'pg_attribute' AND attname = 'attrelid';`;
    expect(Number(server.sql(own, sql))).toBeGreaterThan(50);
  });

  test('columns with a target of their own do not pass for a full pass', async () => {
    server.sql(own, `CREATE TABLE public.large AS ${many}; ALTER TABLE public.large ALTER id SET STATISTICS 10;`);
    await pass(quickStatistics);
    await pass(fullStatistics);
    expect(bounds()).toEqual({ large: 101 });
  });

  test('a table that can not be analyzed is told with its reason, and all others are analyzed', async () => {
    server.sql(
      own,
      `CREATE FUNCTION public.helper(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
       CREATE FUNCTION public.caller(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN helper(i); END';
       CREATE TABLE public.broken AS ${some}; CREATE INDEX ON public.broken (public.caller(id)); CREATE TABLE public.small AS ${some};`,
    );
    await pass(quickStatistics);
    expect(bounds()).toEqual({ broken: -1, small: 101 });
    expect(await pass(fullStatistics)).toEqual([['public.broken', 'function helper(integer) does not exist']]);
    expect(bounds()).toEqual({ broken: -1, small: 101 });
  });

  test('a table that CREATE INDEX or VACUUM has met before is analyzed, and one that has no statistics to get is not told', async () => {
    server.sql(
      own,
      `CREATE TABLE public.met AS ${some}; CREATE TABLE public.bare (); INSERT INTO public.bare DEFAULT VALUES;`,
    );
    server.sql(
      own,
      `CREATE TABLE public.unwanted AS SELECT 1 AS a; ALTER TABLE public.unwanted ALTER a SET STATISTICS 0;`,
    );
    server.sql(own, `CREATE INDEX ON public.met (id); VACUUM public.bare; VACUUM public.unwanted;`);
    expect(await pass(fullStatistics)).toEqual([]);
    expect(bounds()).toEqual({ met: 101, bare: -1, unwanted: -1 });
  });

  test('what an owner stores for the database is the normal target, and none of our noting', async () => {
    server.sql(own, `CREATE TABLE public.small AS ${some};`);
    server.sql(
      'template1',
      `ALTER DATABASE ${own} SET default_statistics_target = 50; ALTER DATABASE ${own} SET postgresql_upgrade.failed = 'x';`,
    );
    await pass(quickStatistics);
    expect(await pass(fullStatistics)).toEqual([]);
    expect(bounds()).toEqual({ small: 51 });
  });
});
