// The script that finds and removes what an upgrade left, run over files on this machine.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { oldFilesScript } from '../../../src/cleanup/old-files-script.ts';
import { readFreeBytes, readOldFiles, removeOldFiles } from '../../../src/cleanup/old-files.ts';
import { ClusterError } from '../../../src/common/errors.ts';
import type { Database } from '../../../src/database/database.ts';
import { localPod } from '../local-pod.ts';
import { deps, look, obstacleOf, other, remove, target } from './files.ts';
import { oldVolume } from './volume.ts';

const mebibyte = 2 ** 20;

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
    const { left, gone } = await remove(volume, directories);
    expect(left).toEqual([]);
    expect(gone).toEqual(directories.map(({ id }) => id));
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
    const old = directories[0]?.id;
    const why = 'it is not what was listed';
    // What comes after it stays too.
    expect(await remove(volume, directories.slice(1, 2))).toEqual({ gone: [], left: [{ path: volume.kept, why }] });
    expect(readdirSync(volume.root).sort()).toEqual([
      '.postgresql-upgrade',
      'data',
      'data-12.preupgrade',
      'upgrade-logs',
    ]);

    const place = path.join(volume.root, 'upgrade-logs');
    renameSync(place, `${place}.theirs`);
    mkdirSync(place);
    expect(await remove(volume, directories)).toEqual({ gone: [old], left: [{ path: place, why }] });
    expect(readdirSync(volume.root).sort()).toEqual([
      '.postgresql-upgrade',
      'data',
      'upgrade-logs',
      'upgrade-logs.theirs',
    ]);
  });

  test('is found again where a removal was killed after its rename', async () => {
    using volume = oldVolume();
    const [old] = (await look(volume)).directories;
    spawnSync('mv', [volume.kept, `${volume.kept}.cleanup`]);
    rmSync(`${volume.kept}.cleanup/PG_VERSION`);
    const { directories } = await look(volume);
    expect(directories[0]).toMatchObject({ kind: 'old', id: old?.id, path: `${volume.kept}.cleanup` });
    expect(directories[0]?.obstacle).toBeUndefined();
    await remove(volume, directories);
    expect(existsSync(`${volume.kept}.cleanup`)).toBe(false);
  });

  test('goes also where an earlier removal was killed, and another upgrade came after it', async () => {
    using volume = oldVolume();
    mkdirSync(`${volume.kept}.cleanup/base`, { recursive: true });
    const { directories } = await look(volume);
    expect(directories.map(({ path: of }) => path.basename(of))).toEqual([
      ...['data-12.preupgrade.cleanup', 'data-12.preupgrade', 'upgrade-logs', '.postgresql-upgrade'],
    ]);
    expect(await remove(volume, directories)).toEqual({ gone: directories.map(({ id }) => id), left: [] });
    expect(readdirSync(volume.root)).toEqual(['data']);
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
    expect((await remove(volume, directories)).left).toEqual([]);
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
    const { left } = await remove(volume, seen.directories, ...other);
    // What comes after it is not touched either.
    expect(left.map(({ path: of }) => path.basename(of))).toEqual(['data-12.preupgrade']);
    expect(existsSync(path.join(volume.kept, 'PG_VERSION'))).toBe(true);
    expect(existsSync(path.join(volume.root, 'upgrade-logs'))).toBe(true);
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
    expect((await remove(volume, seen.directories, ...other)).left).toEqual([]);
    expect(readdirSync(volume.root)).toEqual(['data']);
  });
});

test('which upgrade made the data directory is one line, whatever its mark says', async () => {
  using volume = oldVolume();
  const mark = path.join(volume.data, '.postgresql-upgrade');
  writeFileSync(mark, 'run=a\tb\nrun=directory\told\t/\t1:1\t0\t0\t\n', { flag: 'w' });
  const { run, directories } = await look(volume);
  expect(run).toBe('a b');
  expect(directories.map(({ path: of }) => of)).not.toContain('/');
});

test('a removal whose connection breaks is not sent again: its end is awaited', async () => {
  using volume = oldVolume();
  const pod = localPod();
  let sent = 0;
  const broken = {
    look: pod.look.bind(pod),
    command: async (command: readonly string[]) => {
      sent++;
      await pod.command(command);
      throw new ClusterError('unreachable', 'the connection broke', 'Look.');
    },
  } as unknown as Database;
  const { directories } = await look(volume);
  const gone = directories.map(({ id }) => id);
  expect(await removeOldFiles(deps(), broken, await target(volume), directories)).toEqual({ gone, left: [] });
  expect(sent).toBe(1);
  using other = oldVolume();
  const unsent = { ...broken, command: () => Promise.reject(new ClusterError('unreachable', 'it broke', 'Look.')) };
  const theirs = (await look(other)).directories;
  const unheard = await removeOldFiles(deps(), unsent as unknown as Database, await target(other), theirs);
  expect([unheard.gone, unheard.left.length]).toEqual([[], theirs.length]);
});

test('a removal that is at work is seen by its command line, and awaited', async () => {
  using volume = oldVolume();
  const { directories } = await look(volume);
  const atWork = (data: string) =>
    spawn('sh', ['-c', 'read line', 'sh', data, volume.root, '12', '14', 'remove', '1:1']);
  // Of another server on this machine.
  const theirs = atWork(`${volume.data}-2`);
  expect((await look(volume)).isRemoving).toBe(false);
  const ours = atWork(volume.data);
  const pod = localPod();
  let looks = 0;
  const isSeen: boolean[] = [];
  const broken = {
    command: () => Promise.reject(new ClusterError('unreachable', 'the connection broke', 'Look.')),
    look: async (command: readonly string[], limit: number) => {
      if (++looks === 4) {
        ours.kill('SIGKILL');
        await once(ours, 'exit');
      }
      const answer = await pod.look(command, limit);
      isSeen.push(answer.stdout.includes('removing\tyes'));
      return answer;
    },
  } as unknown as Database;
  try {
    await removeOldFiles(deps(), broken, await target(volume), directories);
    expect(isSeen).toEqual([true, true, true, false]);
  } finally {
    for (const one of [theirs, ours]) one.kill('SIGKILL');
  }
});

test('of what a removal says is gone, another look finds what is there', async () => {
  using volume = oldVolume();
  const pod = localPod();
  // Killed in its middle, or of a volume that has since been mounted again: its devices are others.
  const silent = {
    command: () => Promise.resolve({ exitCode: 137, stdout: 'end\n', stderr: '' }),
    look: pod.look.bind(pod),
  };
  const { directories } = await look(volume);
  const moved = directories.map(({ id, path: of }) => ({ id: `9${id}`, path: of }));
  for (const listed of [directories, moved]) {
    const { gone, left } = await removeOldFiles(deps(), silent as unknown as Database, await target(volume), listed);
    expect([gone, left.map(({ path: of }) => of)]).toEqual([[], directories.map(({ path: of }) => of)]);
  }
});

test('places of the server on other file systems are named, since no snapshot of its volume holds them', async () => {
  using volume = oldVolume();
  expect((await look(volume)).outside).toEqual([]);
  symlinkSync('/dev/shm', path.join(volume.data, 'pg_tblspc/16500'));
  expect((await look(volume)).outside).toEqual(['/dev/shm']);
});

test('what is free is measured', async () => {
  using volume = oldVolume();
  expect(await readFreeBytes(localPod(), await target(volume))).toBeGreaterThan(0);
});

test('an answer that breaks off is none', async () => {
  using volume = oldVolume();
  const cut = {
    command: () => Promise.resolve({ exitCode: 0, stdout: '', stderr: '' }),
    look: () => Promise.resolve({ exitCode: 0, stdout: 'transfer\tlink\n', stderr: '' }),
  };
  await expect(readOldFiles(cut as never, await target(volume))).rejects.toMatchObject({ code: 'volume-unreadable' });
  await expect(removeOldFiles(deps(), cut as never, await target(volume), [])).rejects.toMatchObject({
    code: 'volume-unreadable',
  });
});

test('the script leaves room for headers in 16 KiB, to which many servers limit a request', () => {
  // A command of an exec is a part of the URL. The paths and the token come on top.
  expect(encodeURIComponent(oldFilesScript).length).toBeLessThan(13_000);
});
