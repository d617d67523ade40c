// The script that finds and removes what an upgrade left, run over files on this machine.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readOldFiles, removeOldFiles, type OldDirectory } from '../../../src/cleanup/old-files.ts';
import { localPod } from '../local-pod.ts';
import { target as targetOf } from '../objects.ts';
import { oldVolume, type OldVolume } from './volume.ts';

const mebibyte = 2 ** 20;
const other = ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups'];

const target = async ({ root, data }: OldVolume) => {
  const found = await targetOf();
  return { ...found, dataDirectory: data, volume: { ...found.volume, mountPath: root } };
};
const look = async (volume: OldVolume, ...as: string[]) => await readOldFiles(localPod(as), await target(volume));
const remove = async (volume: OldVolume, ids: readonly string[], ...as: string[]) =>
  await removeOldFiles(localPod(as), await target(volume), ids);
const obstacleOf = ({ directories }: { directories: readonly OldDirectory[] }, kind: OldDirectory['kind']) =>
  directories.find((one) => one.kind === kind)?.obstacle;

describe('what an upgrade left on the volume', () => {
  test('is found with what its removal frees: files that PostgreSQL 14 shares do not count', async () => {
    using volume = oldVolume();
    const { directories, transfer } = await look(volume);
    expect(directories.map(({ kind, path: of, obstacle }) => [kind, path.relative(volume.root, of), obstacle])).toEqual(
      [
        ['old', 'data-12.preupgrade', undefined],
        ['logs', 'upgrade-logs', undefined],
        ['state', '.postgresql-upgrade', undefined],
      ],
    );
    expect(transfer).toBe('link');
    const [old] = directories;
    expect(old?.bytes).toBeGreaterThanOrEqual(mebibyte);
    expect(old?.bytes).toBeLessThan(2 * mebibyte);
  });

  test('is removed, and nothing else', async () => {
    using volume = oldVolume();
    const { directories } = await look(volume);
    const { left, freedBytes } = await remove(
      volume,
      directories.map(({ id }) => id),
    );
    expect(left).toEqual([]);
    expect(freedBytes).toBeGreaterThanOrEqual(0);
    expect(readdirSync(volume.root)).toEqual(['data']);
    expect(readdirSync(volume.data).sort()).toEqual([
      '.postgresql-upgrade',
      'PG_VERSION',
      'base',
      'global',
      'pg_tblspc',
    ]);
    expect((await look(volume)).directories).toEqual([]);
  });

  test('that was not found before, or is another directory now, is left', async () => {
    using volume = oldVolume();
    const { directories } = await look(volume);
    const logs = directories.filter(({ kind }) => kind === 'logs').map(({ id }) => id);
    expect(await remove(volume, logs)).toMatchObject({ left: [] });
    expect(existsSync(volume.kept)).toBe(true);
    expect(readdirSync(volume.root).sort()).toEqual(['.postgresql-upgrade', 'data', 'data-12.preupgrade']);
  });

  test('is found again where a removal was killed after its rename', async () => {
    using volume = oldVolume();
    const [old] = (await look(volume)).directories;
    spawnSync('mv', [volume.kept, `${volume.kept}.cleanup`]);
    rmSync(`${volume.kept}.cleanup/PG_VERSION`);
    const { directories } = await look(volume);
    expect(directories[0]).toMatchObject({ kind: 'old', id: old?.id, path: `${volume.kept}.cleanup` });
    expect(directories[0]?.obstacle).toBeUndefined();
    await remove(volume, [old?.id ?? '']);
    expect(existsSync(`${volume.kept}.cleanup`)).toBe(false);
  });

  test('in a tablespace is found by its name, and that of PostgreSQL 14 stays', async () => {
    using volume = oldVolume();
    const place = path.join(volume.root, 'space');
    for (const name of ['PG_12_201909212', 'PG_14_202107181']) mkdirSync(path.join(place, name), { recursive: true });
    symlinkSync(place, path.join(volume.data, 'pg_tblspc/16500'));
    const { directories } = await look(volume);
    const [found] = directories.filter(({ kind }) => kind === 'tablespace');
    expect(found?.path).toBe(path.join(place, 'PG_12_201909212'));
    expect(found?.obstacle).toBeUndefined();
    await remove(volume, [found?.id ?? '']);
    expect(readdirSync(place)).toEqual(['PG_14_202107181']);
  });
});

describe('after the documented way', () => {
  test('the command of the vendor reports success and frees nothing, since its path is gone; ours removes it', async () => {
    using volume = oldVolume('vendor');
    const script = path.join(volume.root, 'upgrade-logs/delete_old_cluster.sh');
    const command = `ls ${script} && bash ${script} || rm -rf ${volume.kept}`;
    const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(path.join(volume.kept, 'base/16384'))).toEqual(['1259', '20000']);

    const { directories } = await look(volume);
    expect(directories.map(({ kind, obstacle }) => [kind, obstacle])).toEqual([
      ['old', undefined],
      ['logs', undefined],
    ]);
    expect(
      (
        await remove(
          volume,
          directories.map(({ id }) => id),
        )
      ).left,
    ).toEqual([]);
    expect(readdirSync(volume.root)).toEqual(['data']);
  });

  test('what belongs to another user is named beforehand, and stays', async () => {
    using volume = oldVolume('vendor');
    spawnSync('chown', ['-R', '999:999', volume.kept, path.join(volume.root, 'upgrade-logs')]);
    spawnSync('chown', ['-R', '1001:1001', volume.data]);
    chmodSync(volume.root, 0o777);
    chmodSync(volume.kept, 0o700);
    const seen = await look(volume, ...other);
    expect(obstacleOf(seen, 'old')).toEqual({
      is: 'stuck',
      why: `UID 1001 may not remove what is in ${volume.kept}, which belongs to UID 999`,
    });
    expect(obstacleOf(seen, 'logs')).toMatchObject({ is: 'stuck' });
    const { left } = await remove(
      volume,
      seen.directories.map(({ id }) => id),
      ...other,
    );
    expect(left.map(({ path: of }) => path.basename(of))).toEqual(['data-12.preupgrade', 'upgrade-logs']);
    expect(existsSync(path.join(volume.kept, 'PG_VERSION'))).toBe(true);
  });

  test('what the kubelet has opened to the server’s group goes, whoever owns it', async () => {
    using volume = oldVolume('vendor');
    spawnSync('chown', ['-R', '999:1001', volume.root]);
    spawnSync('chmod', ['-R', 'u=rwX,g=rwXs,o=', volume.root]);
    const seen = await look(volume, ...other);
    expect(seen.directories.map(({ owner, obstacle }) => [owner, obstacle])).toEqual([
      [999, undefined],
      [999, undefined],
    ]);
    expect(
      (
        await remove(
          volume,
          seen.directories.map(({ id }) => id),
          ...other,
        )
      ).left,
    ).toEqual([]);
    expect(readdirSync(volume.root)).toEqual(['data']);
  });
});

describe('a directory is not removed', () => {
  const spoilt: readonly [string, RegExp, (volume: OldVolume) => void][] = [
    [
      'a server may run on it',
      /postmaster\.pid/,
      ({ kept }) => {
        writeFileSync(path.join(kept, 'postmaster.pid'), '1');
      },
    ],
    [
      'it is of PostgreSQL 14',
      /no data directory of PostgreSQL 12/,
      ({ kept }) => {
        writeFileSync(path.join(kept, 'PG_VERSION'), '14\n');
      },
    ],
    [
      'it has no pg_control',
      /no pg_control/,
      ({ kept }) => {
        rmSync(path.join(kept, 'global/pg_control.old'));
      },
    ],
    [
      'a server was started on it',
      /not as the upgrade left it/,
      ({ kept }) => {
        writeFileSync(path.join(kept, 'global/pg_control.old'), 'newer');
      },
    ],
    [
      'the server has its WAL in it',
      /the running server uses it/,
      ({ kept, data }) => {
        mkdirSync(path.join(kept, 'pg_wal'));
        symlinkSync(path.join(kept, 'pg_wal'), path.join(data, 'pg_wal'));
      },
    ],
    [
      'a tablespace of PostgreSQL 14 is in it',
      /the running server uses it/,
      ({ kept, data }) => {
        mkdirSync(path.join(kept, 'space'));
        symlinkSync(path.join(kept, 'space'), path.join(data, 'pg_tblspc/16500'));
      },
    ],
    [
      'it is a link to another place',
      /no directory/,
      ({ kept, root }) => {
        spawnSync('mv', [kept, path.join(root, 'elsewhere')]);
        symlinkSync(path.join(root, 'elsewhere'), kept);
      },
    ],
  ];
  test.each(spoilt)('if %s', async (_what, why, spoil) => {
    using volume = oldVolume();
    spoil(volume);
    const seen = await look(volume);
    expect(obstacleOf(seen, 'old')).toMatchObject({ is: 'used', why: expect.stringMatching(why) as unknown });
    const { left } = await remove(
      volume,
      seen.directories.map(({ id }) => id),
    );
    expect(left).toEqual([{ path: volume.kept, why: expect.stringMatching(why) as unknown }]);
    expect(existsSync(volume.kept)).toBe(true);
    expect(existsSync(path.join(volume.root, 'upgrade-logs'))).toBe(false);
  });

  test('if a process has a file of it open', async () => {
    using volume = oldVolume();
    const holder = ['sh', '-c', 'exec 3<"$1/PG_VERSION"; shift; "$@"', 'sh', volume.kept];
    expect(obstacleOf(await look(volume, ...holder), 'old')).toMatchObject({ is: 'used' });
    expect(obstacleOf(await look(volume), 'old')).toBeUndefined();
  });

  test('by a user who may not write beside the data directory', async () => {
    using volume = oldVolume();
    spawnSync('chown', ['-R', '1001:1001', volume.data, volume.kept]);
    chownSync(volume.root, 0, 0);
    chmodSync(volume.root, 0o755);
    expect(obstacleOf(await look(volume, ...other), 'old')).toEqual({
      is: 'stuck',
      why: `UID 1001 may not write to ${volume.root}`,
    });
  });
});

test('an answer that breaks off is none', async () => {
  using volume = oldVolume();
  const cut = { look: () => Promise.resolve({ exitCode: 0, stdout: 'transfer\tlink\n', stderr: '' }) };
  await expect(readOldFiles(cut as never, await target(volume))).rejects.toMatchObject({ code: 'volume-unreadable' });
  await expect(removeOldFiles(cut as never, await target(volume), [])).rejects.toMatchObject({
    code: 'volume-unreadable',
  });
});
