/** @jest-environment ./test/cluster/bench-environment.ts */
// What a rehearsal finds: an object on which pg_upgrade fails, and damage that pg_upgrade would carry over.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, type ActionEnd } from '../action.ts';
import { bench, namespace, psql, reset } from '../bench.ts';
import { expectNothingLeft, expectProduction, production, storage } from '../rehearsed.ts';

jest.setTimeout(15 * 60_000);

const page = 8192;
let before: { production: ReturnType<typeof production>; storage: string };

const found = ({ report }: ActionEnd) => report.rehearsal?.find(({ status }) => status === 'failed');

/** Overwrites a page of a relation's file, which the running server has in its memory. */
function damage(file: string): void {
  const volume = bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim();
  const opened = openSync(path.join(volume, 'data', file), 'r+');
  writeSync(opened, Buffer.alloc(2000, 0x7f), 0, 2000, 2 * page + 24);
  fsyncSync(opened);
  closeSync(opened);
}

beforeAll(() => {
  reset('--no-writer');
  before = { production: production(), storage: storage() };
});

describe('an object on which pg_upgrade fails, and which the checks were told to ignore', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    psql(namespace, 'circleci', 'CREATE TYPE price_range AS RANGE (subtype = numeric)');
    psql(namespace, 'circleci', "CREATE FUNCTION price_multirange() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    end = await runAction({
      namespace,
      mode: 'rehearse',
      'ignore-checks': 'restore-test: the rehearsal is to find it',
    });
  });

  afterAll(() => {
    psql(namespace, 'circleci', 'DROP FUNCTION price_multirange()');
  });

  test('is found by pg_upgrade on the copy, with its words', async () => {
    expect([end.exitCode, end.outputs['verdict'], end.report.error?.code]).toEqual([1, 'failed', 'rehearsal-failed']);
    expect(found(end)?.id).toBe('rehearsal-upgrade');
    expect(end.log).toContain('function "price_multirange" already exists');
    await expectNothingLeft(before.storage);
    expectProduction(before.production);
  });
});

describe('a damaged page of an index', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    const file = psql(
      namespace,
      'circleci',
      "CREATE TABLE damaged AS SELECT i, repeat('n', 100) AS note FROM generate_series(1, 5000) i; CREATE INDEX damaged_note ON damaged (note, i); CHECKPOINT; SELECT pg_relation_filepath('damaged_note')",
    );
    damage(file.split('\n').at(-1) ?? '');
    end = await runAction({ namespace, mode: 'rehearse' }, { GITHUB_RUN_ATTEMPT: '2' });
  });

  test('is found by amcheck on the copy', async () => {
    expect([end.exitCode, end.outputs['verdict'], end.report.error?.code]).toEqual([1, 'failed', 'rehearsal-failed']);
    expect(found(end)?.id).toBe('rehearsal-pages');
    expect(found(end)?.evidence[0]).toContain('circleci: public.damaged_note');
    await expectNothingLeft(before.storage);
    expectProduction(before.production);
  });
});
