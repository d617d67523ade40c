import { expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { distributeDatabases } from '../../../src/database/distribute-databases.ts';

const databases = fc.uniqueArray(fc.record({ name: fc.string(), bytes: fc.nat() }), { selector: (d) => d.name });

test('each database is dealt out once, to no more sessions than there may be, and none has nothing to do', () => {
  fc.assert(
    fc.property(databases, fc.integer({ min: 1, max: 8 }), (all, sessions) => {
      const dealt = distributeDatabases(all, sessions);
      expect(dealt.flat().sort()).toEqual(all.map((d) => d.name).sort());
      expect(dealt.length).toBeLessThanOrEqual(sessions);
      expect(dealt.filter((names) => names.length === 0)).toEqual([]);
    }),
  );
});

test('the largest one does not keep small ones waiting behind it', () => {
  const sizes = { circle: 100, vms: 30, domain: 40, contexts: 20 };
  const all = Object.entries(sizes).map(([name, bytes]) => ({ name, bytes }));
  expect(distributeDatabases(all, 2)).toEqual([['circle'], ['domain', 'vms', 'contexts']]);
});
