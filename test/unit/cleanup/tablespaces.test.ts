// What PostgreSQL 12 left in tablespaces, in files on this machine.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { look, obstacleOf, remove } from './files.ts';
import { oldVolume, type OldVolume } from './volume.ts';

describe('in a tablespace', () => {
  /** @param name of the tablespace's directory */
  const withTablespace = (volume: OldVolume, name = 'space') => {
    const place = path.join(volume.root, name);
    for (const one of ['PG_12_201909212', 'PG_14_202107181', 'PG_12_mine'])
      mkdirSync(path.join(place, one), { recursive: true });
    symlinkSync(place, path.join(volume.data, 'pg_tblspc/16500'));
    return place;
  };
  const pathsOf = async (volume: OldVolume) =>
    (await look(volume)).directories.flatMap(({ kind, path: of }) => (kind === 'tablespace' ? [of] : []));

  test('what PostgreSQL 12 left is found by its name, and what else is there stays', async () => {
    using volume = oldVolume();
    const place = withTablespace(volume);
    const { directories } = await look(volume);
    expect(directories.map(({ kind, obstacle }) => [kind, obstacle])).toEqual([
      ['old', undefined],
      ['tablespace', undefined],
      ['logs', undefined],
      ['state', undefined],
    ]);
    expect(directories[1]?.path).toBe(path.join(place, 'PG_12_201909212'));
    const { left } = await remove(volume, directories);
    expect(left).toEqual([]);
    expect(readdirSync(place).sort()).toEqual(['PG_12_mine', 'PG_14_202107181']);
  });

  test('it is found only while the old data directory is there, which shows whose it is', async () => {
    using volume = oldVolume();
    const place = withTablespace(volume);
    const { directories } = await look(volume);
    renameSync(volume.kept, `${volume.kept}.cleanup`);
    expect(await pathsOf(volume)).toEqual([path.join(place, 'PG_12_201909212')]);
    renameSync(`${volume.kept}.cleanup`, volume.kept);
    rmSync(volume.kept, { recursive: true });
    expect(await pathsOf(volume)).toEqual([]);
    await remove(volume, directories);
    expect(existsSync(path.join(place, 'PG_12_201909212'))).toBe(true);
  });

  test('it goes before the old data directory, of which nothing is removed while it stays', async () => {
    using volume = oldVolume();
    const place = withTablespace(volume);
    const { directories } = await look(volume);
    symlinkSync(path.join(place, 'PG_12_201909212'), path.join(volume.data, 'pg_wal'));
    const { gone, left } = await remove(volume, directories);
    expect([gone, left.map(({ path: of }) => of)]).toEqual([[], [path.join(place, 'PG_12_201909212')]]);
    expect(existsSync(path.join(`${volume.kept}.cleanup`, 'PG_VERSION'))).toBe(true);
    expect(existsSync(path.join(volume.root, 'upgrade-logs'))).toBe(true);
  });

  test('one with a backslash in its name is known to be in use, and goes otherwise', async () => {
    using volume = oldVolume();
    const place = withTablespace(volume, 'back\\tslash');
    symlinkSync(path.join(place, 'PG_12_201909212'), path.join(volume.data, 'pg_wal'));
    const obstacle = async () => obstacleOf(await look(volume), 'tablespace');
    expect(await obstacle()).toMatchObject({ is: 'used' });
    rmSync(path.join(volume.data, 'pg_wal'));
    expect(await obstacle()).toBeUndefined();
  });

  test.each(['theirs\nspace', 'theirs\n', 'theirs\tspace'])(
    'one whose name is %j is left alone, and named',
    async (name) => {
      using volume = oldVolume();
      // What it would be taken for, if the line end were lost.
      const theirs = path.join(volume.root, 'theirs/PG_12_201909212');
      mkdirSync(theirs, { recursive: true });
      const place = path.join(withTablespace(volume, name), 'PG_12_201909212');
      const found = await look(volume);
      expect([await pathsOf(volume), found.odd, found.outside]).toEqual([[], [place], []]);
      await remove(volume, found.directories);
      expect([theirs, place].map((one) => existsSync(one))).toEqual([true, true]);
      expect((await look(volume)).odd).toEqual([]);
    },
  );
});
