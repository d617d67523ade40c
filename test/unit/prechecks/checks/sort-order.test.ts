import { describe, expect, test } from '@jest/globals';
import { answerOf, known, servingProbe, sortOrder } from '../facts.ts';

const serving = (digest: string | undefined) =>
  known({ ...servingProbe, sortOrders: digest === undefined ? {} : { 'UTF8 en_US.UTF-8 en_US.UTF-8': digest } });

describe('sort-order', () => {
  test('passes where the serving image sorts as the server does', async () => {
    const { status, text } = await answerOf('sort-order');
    expect(status).toBe('passed');
    expect(text).toContain(
      'circle: collation default (en_US.UTF-8), 12 indexes of about 5.0 MiB by the last VACUUM or ANALYZE: the same',
    );
  });

  test('warns of another order, with what will be rebuilt', async () => {
    const { status, text, remedy } = await answerOf('sort-order', { servingProbe: serving('d2') });
    expect(status).toBe('warning');
    expect(text).toContain('12 indexes of about 5.0 MiB by the last VACUUM or ANALYZE: sorts differently in ');
    expect(remedy?.text).toContain('REINDEX');
  });

  test('is unknown where the image did not tell', async () => {
    expect((await answerOf('sort-order', { servingProbe: serving(undefined) })).status).toBe('unknown');
  });

  test('leaves collations of ICU to the upgrade, and says so', async () => {
    const sortOrders = known({ circle: [{ ...sortOrder, provider: 'icu' as const, digest: 'd3' }] });
    const { status, text } = await answerOf('sort-order', { sortOrders });
    expect([status, text]).toEqual(['passed', expect.stringContaining('of ICU; the upgrade compares it')]);
  });

  test('passes without a probe where no index is on text of a locale', async () => {
    const { status } = await answerOf('sort-order', { sortOrders: known({ circle: [] }), servingProbe: serving('d2') });
    expect(status).toBe('passed');
  });
});
