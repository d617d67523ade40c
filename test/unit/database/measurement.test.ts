import { describe, expect, test } from '@jest/globals';
import { fingerprintSize } from '../../../src/database/compare-fingerprints.ts';
import { measure } from '../../../src/database/measurement.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { databaseState, fakeDatabase, serverState } from '../fake-database.ts';
import { target } from '../objects.ts';
import { sortOrder } from '../prechecks/facts.ts';

describe('a measurement', () => {
  test('measures each database that accepts connections, and no other', async () => {
    const state = serverState();
    state.databases = {
      circle: databaseState({
        relations: [
          ['public.builds', 'rows', '42'],
          ['public.logs', 'bytes', '2000000000'],
          ['public.builds_id_seq', 'last_value', '43'],
          ['public.jobs_id_seq', 'next_value', '1'],
        ],
        extensions: { plpgsql: '1.0', pgcrypto: '1.3' },
        sortOrders: [sortOrder],
      }),
      template0: databaseState({ allowsConnections: false }),
    };
    const { fingerprint: taken, sortOrders } = await measure(
      fakeDatabase(new FakeCluster(), await target(), state),
      2,
      60_000,
    );
    expect(taken).toEqual({
      databases: {
        circle: {
          relations: {
            'public.builds': '42 rows',
            'public.logs': '2000000000 bytes',
            'public.builds_id_seq': '43 last_value',
            'public.jobs_id_seq': '1 next_value',
          },
          extensions: ['plpgsql', 'pgcrypto'],
          files: { 'public.builds': 'base/16384/20000', 'public.logs': 'base/16384/20001' },
        },
      },
    });
    expect(sortOrders).toEqual({ circle: [sortOrder] });
    expect(fingerprintSize(taken)).toBe(
      '1 databases, 4 tables, materialized views and sequences, with the rows of 1 tables',
    );
    expect(state.statements.filter((s) => s.startsWith('template0:'))).toEqual([]);
  });

  test('starts no more programs in the pod than there may be sessions, but for the list of databases', async () => {
    const cluster = new FakeCluster();
    await measure(fakeDatabase(cluster, await target(), serverState()), 2, 60_000);
    expect(cluster.calls.map((call) => call.method)).toEqual(['exec', 'exec', 'exec']);
  });

  test('counts the smallest tables: 512 MiB in all sessions together, each database with a part of what its session has left', async () => {
    const state = serverState();
    await measure(fakeDatabase(new FakeCluster(), await target(), state), 2, 60_000);
    const told = state.statements.filter((s) => s.includes("'last_value'"));
    expect(told.map((s) => [/^\w+/.exec(s)?.[0], /set budget (\d+)\n.*databases (\d)/.exec(s)?.slice(1)])).toEqual([
      ['postgres', ['268435456', '2']],
      ['circle', ['268435456', '2']],
      ['template1', ['268435456', '1']],
    ]);
  });

  test('counts again what was counted before, whatever its size is by now', async () => {
    const state = serverState();
    const relations = { 'public."it\'s"': '2000000000 bytes', 'public.builds': '42 rows', 'public.s': '1 last_value' };
    const before = { databases: { circle: { relations, extensions: [] }, vms: { relations: {}, extensions: [] } } };
    await measure(fakeDatabase(new FakeCluster(), await target(), state), 1, 60_000, { before });
    const [told = ''] = state.statements.filter((s) => s.startsWith('circle') && s.includes("'last_value'"));
    expect(told).toContain(`E'{"circle":["public.\\\\"it''s\\\\""]}'::json`);
    expect(told).not.toContain('set budget');
  });

  test('takes the list of databases from who has it', async () => {
    const cluster = new FakeCluster();
    const databases = [{ name: 'circle', allowsConnections: true }];
    await measure(fakeDatabase(cluster, await target(), serverState()), 2, 60_000, { databases });
    expect(cluster.calls.map((call) => call.method)).toEqual(['exec']);
  });

  test('ends when a database can not be measured: it is not left out', async () => {
    const state = serverState({ refuse: [{ statement: /gexec/, message: 'permission denied for table builds' }] });
    const taking = measure(fakeDatabase(new FakeCluster(), await target(), state), 2, 60_000);
    await expect(taking).rejects.toThrow('permission denied for table builds');
  });
});
