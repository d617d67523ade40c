import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { pack, TooLongForJournal, unpack } from '../../../src/journal/compress-fingerprint.ts';

function measured(tables: number) {
  const relations: Record<string, string> = {};
  for (let i = 0; i < tables; i++) relations[`public."tablé ${String(i)}"`] = `${String(i * 37)} rows`;
  const files = Object.fromEntries(
    Object.keys(relations).map((name, i) => [
      name,
      `base/16384/${String(20_000 + 7 * i)} base/16384/${String(20_003 + 7 * i)}`,
    ]),
  );
  return { databases: { circle: { relations, extensions: ['pgcrypto'], files } } };
}

test('what was measured comes back as it was, and is short enough for an object of Kubernetes', async () => {
  const given = measured(20_000);
  const text = await pack(given);
  expect(text.length).toBeLessThan(400_000);
  expect(await unpack(text)).toEqual(given);
});

test('the longest names, quoted, come back, and so does what a sequence will give', async () => {
  const longest = `"${'""'.repeat(63)}"`;
  const given = { databases: { circle: { relations: { [`${longest}.${longest}`]: '1 next_value' }, extensions: [] } } };
  expect(await unpack(await pack(given))).toEqual(given);
});

test('files in a tablespace come back; what an earlier version packed has none; what is no path is refused', async () => {
  const of = (files?: Record<string, string>) => ({
    databases: { circle: { relations: {}, extensions: [], ...(files === undefined ? {} : { files }) } },
  });
  for (const given of [of(), of({}), of({ 'public.far': 'pg_tblspc/16400/PG_12_201909212/16384/17000 base/1/2' })])
    expect(await unpack(await pack(given))).toEqual(given);
  for (const path of [
    '',
    'base/1',
    '/etc/passwd',
    '../base/1/2',
    'base/1/2 base/1/3 base/1/4',
    'base/1/2_init',
    "base/1/2'",
  ])
    await expect(pack(of({ 'public.t': path })).then(unpack)).rejects.toThrow();
});

test('what no object can hold is not packed', async () => {
  // Names like these can't be packed into much less than they are.
  const names = Array.from({ length: 20_000 }, (_, i) => createHash('sha256').update(String(i)).digest('base64'));
  const relations = Object.fromEntries(names.map((name) => [name, '1 rows']));
  await expect(pack({ databases: { circle: { relations, extensions: [] } } })).rejects.toThrow(TooLongForJournal);
});

test('what is damaged is refused', async () => {
  const text = await pack(measured(3));
  await expect(unpack(`${text.slice(0, 20)}AAAA${text.slice(24)}`)).rejects.toThrow();
});
