// What a rehearsal asks of the servers on the copy, in real ones: damage that pg_upgrade would carry over, and whether a server is the one that was rehearsed.
import { openSync, closeSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { amcheckSql, lookedIn, type Looked } from '../../src/database/amcheck.ts';
import { digestsIn, digestsQuestion, type Digests } from '../../src/database/digests.ts';
import { measure } from '../../src/database/measurement.ts';
import { reindexSql } from '../../src/database/sort-order.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

let installations: Installations;
/** PostgreSQL 14 with damage, and PostgreSQL 12. */
let damaged: Server;
let old: Server;

const pathOf = (server: Server, relation: string) =>
  join(server.data, server.sql('shop', `SELECT pg_relation_filepath('${relation}')`).trim());

/** Overwrites a part of a file. */
function overwrite(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(2000, 0x7f), 0, 2000, offset);
  closeSync(file);
}

function prepared(name: string, major: 12 | 14): Server {
  const server = new Server(installations, name, major);
  server.initialise();
  server.configure('max_prepared_transactions = 1');
  server.start();
  server.createLogin();
  server.sql('postgres', 'CREATE DATABASE shop');
  server.sql(
    'shop',
    `CREATE TABLE orders (id int PRIMARY KEY, note text);
INSERT INTO orders SELECT i, repeat('n', 200) FROM generate_series(1, 2000) i;
CREATE TABLE whole AS SELECT * FROM orders;
CREATE TABLE lost AS SELECT * FROM orders;
CREATE INDEX orders_note ON orders (note, id);
CREATE INDEX whole_id ON whole USING hash (id);
CHECKPOINT;`,
  );
  return server;
}

async function look(server: Server, budget = 60_000): Promise<Looked> {
  const rows = await server.database().writeEach(['shop'], amcheckSql(budget), 60_000);
  return lookedIn(rows.get('shop') ?? []);
}

beforeAll(() => {
  installations = new Installations();
  damaged = prepared('damaged', 14);
  old = prepared('old', 12);
});

afterAll(() => {
  for (const server of [damaged, old]) server.stop();
  installations.remove();
});

describe('the pages of a copy', () => {
  test('pass where nothing is damaged', async () => {
    const { checked, of, others, damaged: found } = await look(damaged);
    expect(found).toEqual([]);
    expect(checked).toBe(of);
    expect(of).toBeGreaterThan(100);
    // The hash index.
    expect(others).toBe(1);
  });

  test('are not looked at beyond the budget, and that is told', async () => {
    const { checked, of } = await look(damaged, 1);
    expect(checked).toBeLessThan(of);
  });

  test('are not looked at where a lock keeps amcheck from one, and that is no damage', async () => {
    damaged.sql('shop', "BEGIN; LOCK TABLE lost IN ACCESS EXCLUSIVE MODE; PREPARE TRANSACTION 'held';");
    const { checked, of, damaged: found } = await look(damaged);
    damaged.sql('shop', "ROLLBACK PREPARED 'held'");
    expect(found).toEqual([]);
    expect(checked).toBe(of - 1);
  });

  test('are looked at where an event trigger forbids new schemas: it does not run', async () => {
    damaged.sql(
      'shop',
      `CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'forbidden'; END $$;
CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid();`,
    );
    const { checked, of } = await look(damaged);
    damaged.sql('shop', 'DROP EVENT TRIGGER forbid; DROP FUNCTION forbid();');
    expect(checked).toBe(of);
  });

  test('are rebuilt without an event trigger', async () => {
    damaged.sql(
      'shop',
      `CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'forbidden'; END $$;
CREATE EVENT TRIGGER forbid_start ON ddl_command_start EXECUTE FUNCTION forbid();
CREATE EVENT TRIGGER forbid_end ON ddl_command_end EXECUTE FUNCTION forbid();`,
    );
    const rows = await damaged.database().writeEach(['shop'], reindexSql(['default']), 60_000);
    damaged.sql('shop', 'DROP EVENT TRIGGER forbid_start; DROP EVENT TRIGGER forbid_end; DROP FUNCTION forbid();');
    expect(JSON.stringify(rows.get('shop'))).toContain('public.orders_note');
  });

  test('are looked at by no function of a role that has the same name', async () => {
    const words = "format('ran as %s', current_user)";
    damaged.sql(
      'shop',
      `ALTER EXTENSION amcheck SET SCHEMA public; CREATE ROLE mallory; GRANT CREATE ON SCHEMA public TO mallory; SET ROLE mallory;
CREATE FUNCTION public.verify_heapam(relation regclass, on_error_stop boolean) RETURNS TABLE (blkno bigint, offnum int, attnum int, msg text)
LANGUAGE sql AS $$ SELECT 1::bigint, 1, 1, ${words} $$;`,
    );
    const { checked, of, damaged: found } = await look(damaged);
    expect(found).toEqual([]);
    expect(checked).toBe(of);
  });

  test('are found damaged in a table and in an index, and where a file is missing', async () => {
    const paths = ['orders', 'orders_note', 'lost'].map((relation) => pathOf(damaged, relation));
    damaged.stop();
    overwrite(paths[0] ?? '', 8192 + 4000);
    overwrite(paths[1] ?? '', 2 * 8192 + 24);
    rmSync(paths[2] ?? '');
    damaged.start();
    const { damaged: found } = await look(damaged);
    expect(found.map(([relation]) => relation).sort()).toEqual(['public.lost', 'public.orders', 'public.orders_note']);
    expect(found.find(([relation]) => relation === 'public.lost')?.[1]).toContain('No such file or directory');
  });
});

describe('the digests of a server', () => {
  async function read(): Promise<Digests> {
    const { answers } = await measure(old.database(), 1, 60_000, { questions: [digestsQuestion] });
    const found = digestsIn(answers);
    if (found === undefined) throw new Error(JSON.stringify([...answers]));
    return found;
  }

  test('stay the same while data changes', async () => {
    old.sql(
      'shop',
      `CREATE MATERIALIZED VIEW notes AS SELECT id, note FROM orders; CREATE TABLE shipped (id int REFERENCES orders);
CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);`,
    );
    const before = await read();
    old.sql(
      'shop',
      `DELETE FROM orders WHERE id > 1000; VACUUM ANALYZE orders; REINDEX TABLE orders;
REINDEX TABLE CONCURRENTLY orders; REINDEX TABLE CONCURRENTLY parts_1;
REFRESH MATERIALIZED VIEW notes; VACUUM FULL orders; VACUUM ANALYZE;`,
    );
    expect(await read()).toEqual(before);
  });

  test('stay the same with another password', async () => {
    const before = await read();
    old.sql('postgres', "ALTER ROLE postgres PASSWORD 'another'");
    expect(await read()).toEqual(before);
  });

  test('stay the same while a session has temporary objects', async () => {
    const before = await read();
    const [digest = ''] = digestsQuestion.statements;
    const temporary = `CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY, note text DEFAULT 'n' CHECK (note <> ''));
CREATE TEMPORARY VIEW passing_notes AS SELECT note FROM passing; CREATE STATISTICS pg_temp.together ON id, note FROM passing;
CREATE FUNCTION pg_temp.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
SET search_path = pg_catalog, pg_temp;`;
    expect(JSON.parse(old.sql('shop', `${temporary}\n${digest}`))).toEqual(before['shop']);
    // The namespaces stay.
    expect(await read()).toEqual(before);
  });

  test.each([
    ['a column', 'ALTER TABLE orders ADD COLUMN more int'],
    ['a default', 'ALTER TABLE orders ALTER COLUMN note SET DEFAULT 1'],
    ['a function', "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    ['the body of a function', "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'"],
    ['an extension', 'CREATE EXTENSION pageinspect'],
    ['a view', 'CREATE VIEW v AS SELECT id FROM orders'],
    ['an index', 'CREATE INDEX orders_id ON orders (id)'],
    ['a sequence', 'CREATE SEQUENCE counted'],
    ['the increment of a sequence', 'ALTER SEQUENCE counted INCREMENT 2'],
    ['a publication', 'CREATE PUBLICATION sold'],
    ['a table of a publication', 'ALTER PUBLICATION sold ADD TABLE orders'],
    ['a text search configuration', 'CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple)'],
    ['a mapping of a text search configuration', 'ALTER TEXT SEARCH CONFIGURATION plain DROP MAPPING FOR word'],
    ['a foreign server', 'CREATE FOREIGN DATA WRAPPER far; CREATE SERVER away FOREIGN DATA WRAPPER far'],
    ['a user mapping', 'CREATE USER MAPPING FOR PUBLIC SERVER away'],
    ['a default privilege', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC'],
    ['a grant on a function of PostgreSQL', 'GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO pg_monitor'],
    ['a grant on a catalog', 'GRANT SELECT ON pg_catalog.pg_authid TO pg_monitor'],
    ['a grant on the schema public', 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'],
    ['another index of the same name', 'DROP INDEX orders_id; CREATE INDEX orders_id ON orders (id DESC)'],
  ])('change with %s, in its database alone', async (_name, sql) => {
    const before = await read();
    old.sql('shop', sql);
    const after = await read();
    expect(after['shop']?.schemaDigest).not.toBe(before['shop']?.schemaDigest);
    expect({ ...after, shop: undefined }).toEqual({ ...before, shop: undefined });
  });

  test.each([
    ['a setting of the server', 'ALTER SYSTEM SET work_mem = 8192;'],
    ['a setting of a database', 'ALTER DATABASE shop SET work_mem = 8192'],
    ['a role', 'CREATE ROLE seller'],
    ['an attribute of a role', 'ALTER ROLE seller CONNECTION LIMIT 5'],
    ['a membership', 'GRANT pg_monitor TO seller'],
    ['the owner of a database', 'ALTER DATABASE shop OWNER TO seller'],
    ['a grant on a database', 'GRANT CREATE ON DATABASE shop TO pg_monitor'],
    ['a tablespace', 'ALTER TABLESPACE pg_default SET (seq_page_cost = 2)'],
    [
      'a subscription',
      "CREATE SUBSCRIPTION lent CONNECTION 'dbname=shop' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    ],
  ])('change with %s', async (_name, sql) => {
    const before = await read();
    old.sql('postgres', sql);
    expect((await read())['shop']?.settingsDigest).not.toBe(before['shop']?.settingsDigest);
  });
});
