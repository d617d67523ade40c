import { expect, test } from '@jest/globals';
import { connectionError } from '../../../src/adapters/api-error.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { fakeDatabase, serverState } from '../fake-database.ts';
import { target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

const calls = {
  read: (database: ReturnType<typeof fakeDatabase>) => database.read('circle', 'SELECT 1;'),
  write: (database: ReturnType<typeof fakeDatabase>) => database.write('circle', 'ANALYZE;', 1000),
  look: (database: ReturnType<typeof fakeDatabase>) => database.look(['ls'], 1000),
  writeEach: (database: ReturnType<typeof fakeDatabase>) => database.writeEach(['circle'], 'ANALYZE;', 1000),
};

async function breaking(times: number) {
  const cluster = new FakeCluster();
  const database = fakeDatabase(cluster, await target(), serverState());
  let left = times;
  cluster.hooks.push(({ method }) => {
    if (method === 'exec' && left-- > 0) throw connectionError('run a command', cluster.address, new Error('it broke'));
  });
  return { cluster, database };
}

test.each(Object.entries(calls))('%s is repeated when the connection to the pod breaks', async (_name, call) => {
  const { cluster, database } = await breaking(2);
  await call(database);
  expect(cluster.calls).toHaveLength(3);
});

test.each(Object.entries(calls))('%s is not repeated for ever', async (_name, call) => {
  const { cluster, database } = await breaking(Infinity);
  expect((await thrownBy(() => call(database))).code).toBe('unreachable');
  expect(cluster.calls).toHaveLength(10);
});

test("a script of the administrator's is not repeated: nobody knows how far it came", async () => {
  const { cluster, database } = await breaking(1);
  expect((await thrownBy(() => database.runScript('postgres', 'SELECT 1;', 1000))).code).toBe('unreachable');
  expect(cluster.calls).toHaveLength(1);
});
