import { describe, expect, test } from '@jest/globals';
import { journalName } from '../../../src/upgrade/journal-name.ts';
import { quiesce } from '../../../src/upgrade/quiesce.ts';
import { oldImage, namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { setUp } from './context.ts';
import { live } from './live.ts';

const prepared = { kind: 'prepared transaction', gid: 'g1', database: 'vms', owner: 'vms' } as const;
const slot = { kind: 'replication slot', name: 'cdc', type: 'logical', database: 'circle' } as const;

describe('when the last client has gone', () => {
  test.each([
    [prepared, 'prepared transaction \'g1\' in database "vms", of vms', "ROLLBACK PREPARED 'g1'"],
    [slot, 'logical replication slot cdc in database "circle"', "pg_drop_replication_slot('cdc')"],
  ])('$kind that came since the checks stops it before anything is measured', async (obstacle, name, statement) => {
    const setting = await setUp();
    setting.state.obstacles = [obstacle];
    const error = await thrownBy(() => quiesce.run(setting.context));
    expect(error.code).toBe('upgrade-obstacle');
    expect(error.message).toContain(name);
    expect(error.remedy).toContain(statement);
    expect(setting.state.statements.filter((s) => s.includes('CHECKPOINT'))).toEqual([]);
  });

  test('it is asked after the clients, not before: a client may still make one', async () => {
    const setting = await setUp();
    await quiesce.run(setting.context);
    const asked = (what: string) => setting.state.statements.findIndex((s) => s.includes(what));
    expect(asked('pg_stat_activity')).toBeGreaterThan(-1);
    expect(asked('pg_prepared_xacts')).toBeGreaterThan(asked('pg_stat_activity'));
  });

  test('the sort order is noted before the measurement, after which another run measures nothing again', async () => {
    const { context, cluster } = await setUp();
    await quiesce.run(context);
    const notes = cluster
      .patchesOf('configmaps', journalName)
      .flat()
      .map(({ path }) => path);
    expect(notes.indexOf('/data/sortOrders')).toBeGreaterThan(-1);
    expect(notes.indexOf('/data/measured')).toBeGreaterThan(notes.indexOf('/data/sortOrders'));
  });

  test('an upgrade that finds one goes back: PostgreSQL was never stopped, the applications are back', async () => {
    const { begin, state, cluster, image, replicas } = await live();
    state.obstacles = [prepared];
    const error = await thrownBy(begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain("prepared transaction 'g1'");
    expect(error.remedy).toContain("ROLLBACK PREPARED 'g1'");
    expect(image()).toBe(oldImage);
    expect(replicas()).toBe(3);
    const scaled = cluster
      .patchesOf('statefulsets', 'postgresql')
      .flat()
      .filter((o) => 'value' in o && o.value === 0);
    expect(scaled).toEqual([]);
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
  });
});
