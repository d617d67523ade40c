// What keeps the script from removing a directory, run over files on this machine.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readOldFiles, removeOldFiles } from '../../../src/cleanup/old-files.ts';
import { localPod } from '../local-pod.ts';
import { thrownBy } from '../thrown.ts';
import { deps, look, obstacleOf, other, remove, target } from './files.ts';
import { oldVolume, type OldVolume } from './volume.ts';

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
      /in use/,
      ({ kept, data }) => {
        mkdirSync(path.join(kept, 'pg_wal'));
        symlinkSync(path.join(kept, 'pg_wal'), path.join(data, 'pg_wal'));
      },
    ],
    [
      'a tablespace of PostgreSQL 14 is in it',
      /in use/,
      ({ kept, data }) => {
        mkdirSync(path.join(kept, 'space'));
        symlinkSync(path.join(kept, 'space'), path.join(data, 'pg_tblspc/16500'));
      },
    ],
    [
      'people have put something into it',
      /dump\.sql, which is not PostgreSQL's/,
      ({ kept }) => {
        writeFileSync(path.join(kept, 'dump.sql'), '');
      },
    ],
    [
      'people have put something hidden into it',
      /\.mine, which is not PostgreSQL's/,
      ({ kept }) => {
        mkdirSync(path.join(kept, '.mine'));
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
    expect(obstacleOf(seen, 'old')?.is).not.toBe('stuck');
    expect(obstacleOf(seen, 'old')?.why).toMatch(why);
    const { left } = await remove(volume, seen.directories);
    expect(left).toEqual([{ path: volume.kept, why: expect.stringMatching(why) as unknown }]);
    expect(existsSync(volume.kept)).toBe(true);
    expect(existsSync(path.join(volume.root, 'upgrade-logs'))).toBe(true);
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

describe('after the documented way a directory is not removed', () => {
  const spoilt: readonly [string, RegExp, (volume: OldVolume) => void][] = [
    [
      'while the new cluster is still beside it',
      /an upgrade has not ended/,
      ({ data }) => {
        mkdirSync(`${data}-14`);
      },
    ],
    [
      'where no pg_upgrade has ended on it',
      /its pg_control is not renamed/,
      ({ kept }) => {
        renameSync(path.join(kept, 'global/pg_control.old'), path.join(kept, 'global/pg_control'));
      },
    ],
    [
      'where another PostgreSQL 14 serves, such as an empty one',
      /the server that runs has none of its files/,
      ({ data }) => {
        rmSync(path.join(data, 'base/16384/20000'));
        writeFileSync(path.join(data, 'base/16384/20000'), 'new');
      },
    ],
  ];
  test.each(spoilt)('%s', async (_what, why, spoil) => {
    using volume = oldVolume('vendor');
    spoil(volume);
    expect(obstacleOf(await look(volume), 'old')).toMatchObject({
      is: 'used',
      why: expect.stringMatching(why) as unknown,
    });
  });
});

describe('the pg_control of the old data directory is that which the upgrade Job has noted', () => {
  const controlOf = ({ kept }: OldVolume) => path.join(kept, 'global/pg_control');
  const note = ({ data }: OldVolume, file: string) => {
    const { stdout } = spawnSync('sh', ['-c', 'cksum <"$1"', 'sh', file], { encoding: 'utf8' });
    writeFileSync(path.join(data, '.postgresql-upgrade'), `run=run-1\nold_control=${stdout}`);
  };

  test('by the name that it has where files were cloned or copied, before that of linked ones', async () => {
    using volume = oldVolume();
    writeFileSync(controlOf(volume), 'of PostgreSQL 12, which nothing has shared');
    note(volume, controlOf(volume));
    expect(obstacleOf(await look(volume), 'old')).toBeUndefined();
    note(volume, `${controlOf(volume)}.old`);
    expect(obstacleOf(await look(volume), 'old')).toMatchObject({ is: 'changed' });
  });
});

describe('a use that can not be seen is none that may pass', () => {
  test('where no process is seen to work in the data directory', async () => {
    using volume = oldVolume();
    await volume.endServer();
    await expect(look(volume)).rejects.toMatchObject({
      code: 'volume-unreadable',
      message: expect.stringContaining('no process is seen to work in') as unknown,
    });
    const { code } = await thrownBy(() => remove(volume, [{ id: '1:1', path: volume.kept }]));
    expect(code).toBe('volume-unreadable');
  });

  /** A pod in which a program ends without a word where its arguments are like the pattern. */
  const podWithout = (volume: OldVolume, program: string, pattern = '*') => {
    const programs = path.join(volume.root, 'bin');
    mkdirSync(programs);
    const text = `#!/bin/sh\ncase "$*" in ${pattern}) exit 1 ;; esac\nPATH=\${PATH#*:}\nexec ${program} "$@"\n`;
    writeFileSync(path.join(programs, program), text, { mode: 0o755 });
    return localPod([], programs);
  };

  test.each([
    ['find', '*'],
    ['sort', '-u'],
    ['sed', '*^?*'],
  ])('where %s is another one, or ends before its time', async (program, pattern) => {
    using volume = oldVolume();
    await expect(readOldFiles(podWithout(volume, program, pattern), await target(volume))).rejects.toMatchObject({
      code: 'volume-unreadable',
    });
  });

  test.each([
    ['what asks whether something is mounted in it, or uses it', 'awk', '*place*'],
    ['what lists the mounts', 'awk', '*mountinfo'],
    ['what asks whether it is as the upgrade left it', 'cksum', '*'],
  ])('where %s ends before its time', async (_what, program, pattern) => {
    using volume = oldVolume();
    const { directories } = await look(volume);
    const pod = podWithout(volume, program, pattern);
    const why = 'it could not be judged';
    expect(obstacleOf(await readOldFiles(pod, await target(volume)), 'old')).toEqual({ is: 'used', why });
    const { left } = await removeOldFiles(deps(), pod, await target(volume), directories);
    expect(left).toEqual([{ path: volume.kept, why }]);
    expect(existsSync(path.join(volume.kept, 'PG_VERSION'))).toBe(true);
  });
});
