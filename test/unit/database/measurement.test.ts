import { describe, expect, test } from '@jest/globals';
import { fingerprintSize } from '../../../src/database/fingerprint.ts';
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
        },
      },
    });
    expect(sortOrders).toEqual({ circle: [sortOrder] });
    expect(fingerprintSize(taken)).toContain('1 databases, 4 ');
    expect(state.statements.filter((s) => s.startsWith('template0:'))).toEqual([]);
  });

  test('starts no more programs in the pod than there may be sessions, but for the list of databases', async () => {
    const cluster = new FakeCluster();
    await measure(fakeDatabase(cluster, await target(), serverState()), 2, 60_000);
    expect(cluster.calls.map((call) => call.method)).toEqual(['exec', 'exec', 'exec']);
  });

  test('ends when a database can not be measured: it is not left out', async () => {
    const state = serverState({ refuse: [{ statement: /gexec/, message: 'permission denied for table builds' }] });
    const taking = measure(fakeDatabase(new FakeCluster(), await target(), state), 2, 60_000);
    await expect(taking).rejects.toThrow('permission denied for table builds');
  });
});
