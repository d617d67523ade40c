import { describe, expect, test } from '@jest/globals';
import { changedOrders } from '../../../../src/database/sort-order.ts';
import { newImage, oldImage } from '../../objects.ts';
import { sortOrder } from '../../prechecks/facts.ts';
import { thrownBy } from '../../thrown.ts';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import { ending, revertName, served } from '../job-controller.ts';
import { live } from '../live.ts';

/** An upgrade to an image that sorts in another way. */
async function withAnotherOrder() {
  const setting = await live({ [jobName]: ending(0), [revertName]: served('link') });
  const circle = setting.state.databases['circle'];
  setting.cluster.hooks.push((call) => {
    const digest = setting.image() === newImage ? 'd2' : 'd1';
    if (call.method === 'exec') circle?.sortOrders.splice(0, 1, { ...sortOrder, digest });
  });
  return setting;
}

describe('indexes on text', () => {
  test('are rebuilt before the applications come back where PostgreSQL 14 sorts in another way', async () => {
    const setting = await withAnotherOrder();
    const stopped: (number | undefined)[] = [];
    const { statements } = setting.state;
    const push = statements.push.bind(statements);
    statements.push = (...more) => {
      if (more.some((s) => s.startsWith('circle: ') && s.includes('REINDEX INDEX'))) stopped.push(setting.replicas());
      return push(...more);
    };
    const { warnings } = await setting.begin();
    expect(stopped).toEqual([0]);
    expect(warnings).toEqual([
      expect.stringContaining('database circle sort text differently now (default). The action rebuilt 1 indexes'),
    ]);
  });

  test('are left alone where it sorts as PostgreSQL 12 did', async () => {
    const setting = await live();
    await setting.begin();
    expect(setting.state.statements.filter((s) => s.includes('REINDEX'))).toEqual([]);
  });

  test('that can not be rebuilt bring PostgreSQL 12 back', async () => {
    const setting = await withAnotherOrder();
    setting.state.refuse.push({ statement: /REINDEX/, message: 'could not create unique index "users_name_key"' });
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('could not create unique index "users_name_key"');
    expect(setting.image()).toBe(oldImage);
    expect(setting.replicas()).toBe(3);
  });
});

describe('the collations that have changed', () => {
  const other = { ...sortOrder, collation: 'de', digest: 'x' };

  test('are those with another digest, and those that are gone', () => {
    const before = { circle: [sortOrder, other], postgres: [sortOrder] };
    expect(changedOrders(before, before)).toEqual({});
    expect(changedOrders(before, { circle: [sortOrder, { ...other, digest: 'y' }], postgres: [] })).toEqual({
      circle: ['de'],
      postgres: ['default'],
    });
  });
});
