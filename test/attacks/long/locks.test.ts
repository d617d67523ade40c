// What a role without rights does with locks on its own objects: it keeps a session of ours waiting, and changes meanwhile what that session has looked at.
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { fingerprintScript, shareOf, type DatabaseFingerprint } from '../../../src/database/fingerprint.ts';
import { measure } from '../../../src/database/measurement.ts';
import { fullStatistics, quickStatistics } from '../../../src/database/statistics.ts';
import { lockFixture } from '../../hazards/live-fixtures.ts';
import { Installations, Server, type Major } from '../../hazards/server.ts';
import { hostileDatabase as own, hostileRole as role } from '../hostile-role.ts';
import { begin, evil, harm, hasLooked, nobodyHasLooked, untilAwaited, untilItWaits } from '../races.ts';

jest.setTimeout(300_000);

let installations: Installations;

beforeAll(() => {
  installations = new Installations();
});

afterAll(() => {
  installations.remove();
});

/** What is there first; what the role does to it in a transaction before and after the wait. */
interface Race {
  readonly first: string;
  readonly awaited: string;
  readonly before: string;
  readonly after: string;
  /** What is measured in the end. */
  readonly measured: DatabaseFingerprint['relations'];
}

const view = (name: string) => `CREATE VIEW ${name} AS SELECT 0 AS last_value, true AS is_called WHERE public.evil();`;

const races: Readonly<Record<string, Race>> = {
  'a view in the place of a sequence': {
    first: 'CREATE SEQUENCE public.swapped;',
    awaited: 'public.swapped',
    before: 'DROP SEQUENCE public.swapped;',
    after: view('public.swapped'),
    measured: {},
  },
  'a view in the place of a table': {
    first: 'CREATE TABLE public.swapped (a int);',
    awaited: 'public.swapped',
    before: 'DROP TABLE public.swapped;',
    after: view('public.swapped'),
    measured: {},
  },
  'a view in the place of a materialized view': {
    first: 'CREATE MATERIALIZED VIEW public.swapped AS SELECT 1 AS a;',
    awaited: 'public.swapped',
    before: 'DROP MATERIALIZED VIEW public.swapped;',
    after: view('public.swapped'),
    measured: {},
  },
  'a view in the place of a table, in a schema of the same name': {
    first: 'CREATE SCHEMA s; CREATE TABLE s.swapped (a int);',
    awaited: 's.swapped',
    before: 'LOCK TABLE s.swapped;',
    after: `ALTER SCHEMA s RENAME TO "S"; CREATE SCHEMA s; ${view('s.swapped')}`,
    measured: { '"S".swapped': '0 rows' },
  },
  'a view in a schema of the same name, without a lock on the table': {
    first: 'CREATE SCHEMA s; CREATE TABLE s.swapped (a int); CREATE INDEX i ON s.swapped (a);',
    awaited: 's.i',
    before: 'ALTER INDEX s.i SET TABLESPACE pg_default; ALTER SCHEMA s RENAME TO "S"; CREATE SCHEMA s;',
    after: view('s.swapped'),
    measured: { '"S".swapped': '0 rows' },
  },
  'an index with a call': {
    first: 'CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1);',
    awaited: 'public.t',
    before: 'LOCK TABLE public.t;',
    after: 'CREATE INDEX ON public.t ((public.evil_constant(1)));',
    measured: { 'public.t': '8192 bytes' },
  },
  'an index with a call, of a materialized view': {
    first: 'CREATE MATERIALIZED VIEW public.t AS SELECT 1 AS a; CREATE INDEX i ON public.t (a);',
    awaited: 'public.i',
    before: 'ALTER INDEX public.i SET TABLESPACE pg_default;',
    after: 'CREATE INDEX ON public.t ((public.evil_constant(1)));',
    measured: { 'public.t': '8192 bytes' },
  },
};

const racesOfFourteen: Readonly<Record<string, Race>> = {
  'statistics with a call': {
    first: 'CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1);',
    awaited: 'public.t',
    before: 'LOCK TABLE public.t;',
    after: 'CREATE STATISTICS public.computed ON (a + public.evil_constant(1)) FROM public.t;',
    measured: { 'public.t': '8192 bytes' },
  },
  'statistics with a call, of a materialized view': {
    first: 'CREATE MATERIALIZED VIEW public.t AS SELECT 1 AS a; CREATE INDEX i ON public.t (a);',
    awaited: 'public.i',
    before: 'ALTER INDEX public.i SET TABLESPACE pg_default;',
    after: 'CREATE STATISTICS public.computed ON (a + public.evil_constant(1)) FROM public.t;',
    measured: { 'public.t': '8192 bytes' },
  },
};

describe.each([12, 14] as const)('PostgreSQL %d', (major: Major) => {
  let server: Server;

  beforeAll(() => {
    server = new Server(installations, `locks-${String(major)}`, major);
    server.initialise();
    server.start();
    server.createLogin();
    server.sql('template1', `CREATE ROLE ${role} LOGIN;`);
  });

  beforeEach(() => {
    nobodyHasLooked(server);
    server.sql('template1', `DROP DATABASE IF EXISTS ${own};`);
    server.sql('template1', `CREATE DATABASE ${own} OWNER ${role};`);
  });

  afterAll(() => {
    server.stop();
  });

  const asRole = (sql: string) => server.sql(own, `SET SESSION AUTHORIZATION ${role}; ${sql}`).trim();
  const measured = async () => (await measure(server.database(), 1, 120_000)).fingerprint.databases[own]?.relations;

  test('the code runs where somebody counts without looking', () => {
    asRole(`${evil} ${view('public.seen')}`);
    server.sql(own, 'SELECT last_value FROM public.seen;');
    expect(harm(server)).toHaveLength(1);
  });

  test.each(Object.entries({ ...races, ...(major === 14 ? racesOfFourteen : {}) }))(
    'no measurement runs %s',
    async (_what, { first, awaited, before, after, measured: expected }) => {
      asRole(`${evil} ${first}`);
      const oid = asRole(`SELECT '${awaited}'::regclass::oid`);
      const done = harm(server).length;
      const attack = begin(server, `BEGIN; ${before} ${untilAwaited(oid)} ${after} COMMIT;`);
      await untilItWaits(server);
      const ours = measured();
      await hasLooked(server, ours);
      expect(await ours).toEqual(expected);
      expect(await attack).toBe('');
      expect(harm(server)).toHaveLength(done);
      // And without a race.
      const later = await measured();
      expect(Object.keys(later ?? {})).toEqual(Object.keys(expected));
      expect(harm(server)).toHaveLength(done);
    },
  );

  test('a lock that is given back is waited for', async () => {
    asRole('CREATE TABLE public.t AS SELECT 1 AS a;');
    const holding = begin(server, 'BEGIN; LOCK TABLE public.t; SELECT pg_sleep(8); COMMIT;');
    await untilItWaits(server);
    expect(await measured()).toEqual({ 'public.t': '1 rows' });
    await holding;
  });

  test('a lock that is not given back ends it, and its holder is named', async () => {
    asRole('CREATE TABLE public.t AS SELECT 1 AS a;');
    const end = await lockFixture(server, own, 'public.t');
    try {
      await expect(server.database().readEach([own], fingerprintScript(shareOf(1, 1), 2))).rejects.toThrow(
        /could not measure relations for 2 s, because a session kept a lock: public\.t: 'the fixture' of role postgres \(process \d+, idle in transaction\)/,
      );
    } finally {
      await end();
    }
  });

  if (major === 14)
    test('a lock keeps ANALYZE waiting for seconds, for that table alone', async () => {
      asRole(`${evil} CREATE TABLE public.t AS SELECT 1 AS a; CREATE TABLE public."ot""her" AS SELECT 1 AS a;`);
      const analyzed = () =>
        asRole(
          `SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples >= 0`,
        );
      const pass = async (sql: string) => (await server.database().writeEach([own], sql, 90_000)).get(own);
      const end = await lockFixture(server, own, 'public.t');
      try {
        const begun = Date.now();
        await pass(quickStatistics);
        expect(Date.now() - begun).toBeLessThan(10_000);
        expect(analyzed()).toBe('ot"her');
        expect(await pass(fullStatistics)).toEqual([['public.t', 'canceling statement due to lock timeout']]);
        expect(Date.now() - begun).toBeLessThan(60_000);
      } finally {
        await end();
      }
      expect(await pass(fullStatistics)).toEqual([]);
      expect(analyzed()).toBe('ot"her t');
    });

  if (major === 14)
    test('a migration that ANALYZE is in the way of is never the one that fails', async () => {
      asRole('CREATE TABLE public.t AS SELECT 1 AS a;');
      const oid = asRole(`SELECT 'public.t'::regclass::oid`);
      // It changes the row of the table in pg_class, which our session has locked while it waits for the table.
      const migration = begin(
        server,
        `BEGIN; LOCK TABLE public.t; ${untilAwaited(oid)} ALTER TABLE public.t ADD b int; COMMIT;`,
      );
      await untilItWaits(server);
      const left = (await server.database().writeEach([own], fullStatistics, 90_000)).get(own);
      expect([await migration, left]).toEqual(['', []]);
      expect(Number(asRole(`SELECT reltuples FROM pg_class WHERE oid = ${oid}`))).toBe(1);
    });

  if (major === 14)
    test('ANALYZE that waits for a table takes no foreign table that gets its name meanwhile', async () => {
      server.sql(own, 'CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;');
      server.sql(own, `CREATE FOREIGN TABLE public.far (a text) SERVER files OPTIONS (filename '/etc/passwd');`);
      server.sql(own, `ALTER FOREIGN TABLE public.far OWNER TO ${role};`);
      asRole('CREATE TABLE public.t AS SELECT 1 AS a;');
      const [far, near] = ['public.far', 'public.t'].map((name) => asRole(`SELECT '${name}'::regclass::oid`));
      const renaming = 'ALTER TABLE public.t RENAME TO other; ALTER FOREIGN TABLE public.far RENAME TO t;';
      const attack = begin(server, `BEGIN; LOCK TABLE public.t; ${untilAwaited(near ?? '')} ${renaming} COMMIT;`);
      await untilItWaits(server);
      const ours = server.database().writeEach([own], fullStatistics, 90_000);
      await hasLooked(server, ours);
      await ours.catch(() => undefined);
      await attack.catch(() => undefined);
      const rows = (oid = '') => Number(server.sql(own, `SELECT reltuples FROM pg_class WHERE oid = ${oid};`));
      expect(rows(far)).toBe(-1);
      // Whoever wins, a later run takes the table under the name that it has by then.
      await server.database().writeEach([own], fullStatistics, 90_000);
      expect([rows(far), rows(near)]).toEqual([-1, 1]);
    });

  test('what can be counted is, and names and sequences are told apart', async () => {
    asRole(`${evil}
CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE TABLE "a.b".c AS SELECT generate_series(1, 3); CREATE TABLE a."b.c" AS SELECT generate_series(1, 7);
CREATE TABLE public.normalize AS SELECT 1 AS a; CREATE TABLE public."it's ""so""" (a int);
CREATE SEQUENCE public.called; SELECT nextval('public.called'); CREATE SEQUENCE public.uncalled; CREATE SEQUENCE public.set; SELECT setval('public.set', 500, false);
CREATE TYPE public.status AS ENUM ('active'); CREATE TABLE public.by_enum (s public.status); CREATE INDEX ON public.by_enum (s) WHERE s = 'active' OR s = ANY ('{active}'::public.status[]);
CREATE TABLE public.lowered (t text); CREATE INDEX ON public.lowered (lower(t)) WHERE t <> 'x'; CREATE TABLE public.checked (a int CHECK (a > public.evil_constant(1)));
CREATE DOMAIN public.d AS int CHECK (public.evil()); CREATE TABLE public.by_domain (a int); CREATE INDEX ON public.by_domain ((a::public.d));
CREATE FUNCTION public.evil_add(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.evil(); RETURN 1; END $f$;
CREATE OPERATOR public.@@@ (FUNCTION = public.evil_add, LEFTARG = int, RIGHTARG = int); CREATE TABLE public.by_operator (a int); CREATE INDEX ON public.by_operator ((a + (1 OPERATOR(public.@@@) 2)));
CREATE VIEW public.looks AS SELECT public.evil(); CREATE TEMP TABLE gone (a int);`);
    const done = harm(server).length;
    expect(await measured()).toEqual({
      '"a.b".c': '3 rows',
      'a."b.c"': '7 rows',
      'public.normalize': '1 rows',
      'public."it\'s ""so"""': '0 rows',
      'public.called': '1 last_value',
      'public.uncalled': '1 next_value',
      'public.set': '500 next_value',
      'public.by_enum': '0 rows',
      'public.lowered': '0 rows',
      'public.checked': '0 rows',
      'public.by_domain': '0 bytes',
      'public.by_operator': '0 bytes',
    });
    expect(harm(server)).toHaveLength(done);
  });
});
