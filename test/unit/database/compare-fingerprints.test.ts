import { describe, expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { compareFingerprints } from '../../../src/database/compare-fingerprints.ts';
import type { DatabaseFingerprint, Fingerprint } from '../../../src/database/fingerprint.ts';

const name = fc.stringMatching(/^[a-z]{1,8}_[0-9]$/);
const database: fc.Arbitrary<DatabaseFingerprint> = fc.record({
  relations: fc.dictionary(
    name.map((n) => `public.${n}`),
    fc.nat().map((n) => `${String(n)} rows`),
    { minKeys: 1 },
  ),
  extensions: fc.uniqueArray(name, { minLength: 1 }),
});
const fingerprint: fc.Arbitrary<Fingerprint> = fc.record({
  databases: fc.dictionary(name, database, { minKeys: 1 }),
});

/** The fingerprint with something else in the place of one of its databases. */
function changed(
  of: Fingerprint,
  seed: number,
  change: (database: DatabaseFingerprint) => DatabaseFingerprint | undefined,
): Fingerprint {
  const entries = Object.entries(of.databases).flatMap(([key, value], index, all) => {
    const now = index === seed % all.length ? change(value) : value;
    return now === undefined ? [] : [[key, now] as const];
  });
  return { databases: Object.fromEntries(entries) };
}

function oneRelation(of: DatabaseFingerprint, seed: number, value: string | undefined): DatabaseFingerprint {
  const keys = Object.keys(of.relations);
  const key = keys[seed % keys.length];
  const relations = Object.entries(of.relations).flatMap(([k, v]) => {
    const now = k === key ? value : v;
    return now === undefined ? [] : [[k, now] as const];
  });
  return { ...of, relations: Object.fromEntries(relations) };
}

test('a table that got smaller may have been cut by autovacuum, and one that grew was not', () => {
  const of = (value: string): Fingerprint => ({
    databases: { circle: { relations: { 'public.queue': value }, extensions: [] } },
  });
  const hint = /^circle: public\.queue: 5368709120 bytes before, 0 bytes after \(or autovacuum has cut off empty pages/;
  expect(compareFingerprints(of('5368709120 bytes'), of('0 bytes'))).toEqual([expect.stringMatching(hint)]);
  expect(compareFingerprints(of('0 bytes'), of('8192 bytes'))).toEqual([
    'circle: public.queue: 0 bytes before, 8192 bytes after',
  ]);
});

describe('two fingerprints', () => {
  test('that are equal have no differences', () => {
    fc.assert(
      fc.property(fingerprint, (f) => {
        expect(compareFingerprints(f, structuredClone(f))).toEqual([]);
      }),
    );
  });

  test.each<[string, (of: Fingerprint, seed: number) => Fingerprint]>([
    ['one database less', (f, seed) => changed(f, seed, () => undefined)],
    ['one relation less', (f, seed) => changed(f, seed, (d) => oneRelation(d, seed, undefined))],
    ['another count', (f, seed) => changed(f, seed, (d) => oneRelation(d, seed, '-1 rows'))],
    [
      'one relation more',
      (f, seed) => changed(f, seed, (d) => ({ ...d, relations: { ...d.relations, 'public.foreign': '0 rows' } })),
    ],
    ['one extension less', (f, seed) => changed(f, seed, (d) => ({ ...d, extensions: d.extensions.slice(1) }))],
  ])('with %s have exactly one difference, whichever it is', (_what, change) => {
    fc.assert(
      fc.property(fingerprint, fc.nat(), (before, seed) => {
        expect(compareFingerprints(before, change(before, seed))).toHaveLength(1);
      }),
    );
  });

  test.each([
    ['2000000000 bytes', '1999990784 bytes', 0],
    ['2000000000 bytes', '1750000000 bytes', 0],
    ['2000000000 bytes', '1749999999 bytes', 1],
    ['5368709120 bytes', '606 bytes', 1],
    ['2000000000 bytes', '2000008192 bytes', 1],
    ['0 bytes', '8192 bytes', 1],
    ['1073741825 bytes', '42 rows', 1],
    ['42 rows', '1073741825 bytes', 1],
    ['1 next_value', '1 last_value', 1],
    ['500 next_value', '1 next_value', 1],
    ['2000000000 bytes', '0 bytes', 1],
    ['2000000000 bytes', '0 rows', 1],
    ['2000000000 bytes', undefined, 1],
  ])('a relation of %s that has %s afterwards: %i differences', (before, after, count) => {
    const of = (value: string | undefined): Fingerprint => ({
      databases: { circle: { relations: value === undefined ? {} : { 'public.logs': value }, extensions: [] } },
    });
    expect(compareFingerprints(of(before), of(after))).toHaveLength(count);
  });

  test('with one database more have a difference', () => {
    fc.assert(
      fc.property(fingerprint, database, (before, more) => {
        const after = { databases: { ...before.databases, new: more } };
        expect(compareFingerprints(before, after)).toEqual(['database "new" did not exist before']);
      }),
    );
  });

  test('that differ name the culprit, before and after', () => {
    const before = { databases: { circle: { relations: { 'public.builds': '42 rows' }, extensions: ['pgcrypto'] } } };
    const after = { databases: { circle: { relations: { 'public.builds': '41 rows' }, extensions: [] } } };
    expect(compareFingerprints(before, after)).toEqual([
      'circle: public.builds: 42 rows before, 41 rows after',
      'circle: extension pgcrypto is missing',
    ]);
    expect(compareFingerprints(before, { databases: {} })).toEqual(['database "circle" is missing']);
  });

  test('an empty server is never the same as one with data', () => {
    fc.assert(
      fc.property(fingerprint, (before) => {
        expect(compareFingerprints(before, { databases: {} }).length).toBeGreaterThan(0);
      }),
    );
  });
});
