// The script that looks at the volume, run over files on this machine.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readVolumeFiles } from '../../../src/database/volume-files.ts';
import { localPod } from '../local-pod.ts';
import { target } from '../objects.ts';

const room = readFileSync('src/job/room.awk', 'utf8');
const root = mkdtempSync(path.join(tmpdir(), 'volume-'));
const data = path.join(root, 'data');
const programs = path.join(root, 'bin');
for (const directory of [
  'bin',
  'data/base/1',
  'data/global',
  'data/pg_xact',
  'data/pg_multixact',
  'data/pg_tblspc',
  'data/pg_wal',
])
  mkdirSync(path.join(root, directory), { recursive: true });
for (const [name, content] of Object.entries({
  PG_VERSION: '12\n',
  'base/1/1259': 'catalog',
  'base/1/16400': 'table',
  'pg_wal/000000010000000000000001': Buffer.alloc(1024 ** 2),
}))
  writeFileSync(path.join(data, name), content);

afterAll(() => {
  rmSync(root, { recursive: true });
});

const look = async (...as: string[]) =>
  await readVolumeFiles(localPod(as, programs), await target(undefined, { dataDirectory: data }), room);

test('a file of somebody else is reported, whatever its name, and nothing else is lost by it', async () => {
  const theirs = path.join(data, 'base/1/their\\c file');
  writeFileSync(theirs, '');
  chownSync(theirs, 999, 999);
  const seen = await look();
  rmSync(theirs);
  expect(seen.foreignFiles).toEqual([theirs]);
  expect(seen.entries).toContain(data);
});

test('what has the name of a cluster beside the data directory is reported, with the data directory', async () => {
  expect((await look()).clusters).toEqual([]);
  const other = `${data}-12`;
  mkdirSync(path.join(other, 'base/1'), { recursive: true });
  const { clusters } = await look();
  rmSync(other, { recursive: true });
  expect(clusters.map(({ path: place, hasTables, version }) => [place, hasTables, version])).toEqual([
    [data, true, '12'],
    [other, false, ''],
  ]);
});

test('a tablespace is stray where its name or what that leads to is not on the volume', async () => {
  const volume = mkdtempSync(path.join(tmpdir(), 'mount-'));
  const cluster = path.join(volume, 'data');
  cpSync(data, cluster, { recursive: true });
  const outside = path.join(root, 'outside');
  const places = {
    [`${volume}/sp ace`]: 'directory',
    [`${volume}/gone`]: '',
    [`${volume}/leads out`]: outside,
    [outside]: 'directory',
    [`${root}/leads in`]: `${volume}/sp ace`,
    [`${volume}-beside`]: 'directory',
    '/proc/self': '',
  };
  for (const [index, [place, what]] of Object.entries(places).entries()) {
    if (what === 'directory') mkdirSync(place);
    else if (what !== '') symlinkSync(what, place);
    symlinkSync(place, path.join(cluster, `pg_tblspc/${String(16400 + index)}`));
  }
  const { volume: mounted } = await target();
  const more = { dataDirectory: cluster, volume: { ...mounted, mountPath: volume } };
  const { strayTablespaces } = await readVolumeFiles(localPod([], programs), await target(undefined, more), room);
  for (const place of [volume, `${volume}-beside`]) rmSync(place, { recursive: true });
  expect(strayTablespaces).toEqual(Object.keys(places).slice(1));
});

test('a file that is removed while find looks at it is not reported as foreign', async () => {
  const find = path.join(programs, 'find');
  const message = `find: '${data}/base/1/pg_internal.init': No such file or directory`;
  writeFileSync(find, `#!/bin/sh\necho "${message}" >&2\nexec /usr/bin/find "$@"\n`);
  chmodSync(find, 0o755);
  const { foreignFiles } = await look();
  rmSync(find);
  expect(foreignFiles).toEqual([]);
});

test("what can not be read is reported, and not taken for the server's own", async () => {
  const closed = path.join(data, 'closed');
  mkdirSync(closed);
  writeFileSync(path.join(closed, 'file'), '');
  for (const directory of [root, data]) chmodSync(directory, 0o755);
  spawnSync('chown', ['-R', '1001:1001', data]);
  chmodSync(closed, 0o400);
  const { foreignFiles } = await look('setpriv', '--reuid=1001', '--regid=1001', '--clear-groups');
  rmSync(closed, { recursive: true });
  spawnSync('chown', ['-R', '0:0', data]);
  expect(foreignFiles.join()).toMatch(/closed\/file.*Permission denied/);
});

test('of many files of somebody else the first five are reported', async () => {
  const names = Array.from({ length: 20 }, (_, index) => path.join(data, `foreign-${String(index)}`));
  for (const name of names) {
    writeFileSync(name, '');
    chownSync(name, 999, 999);
  }
  const { foreignFiles } = await look();
  for (const name of names) rmSync(name);
  expect(foreignFiles).toHaveLength(5);
  expect(foreignFiles.filter((name) => !names.includes(name))).toEqual([]);
});

test('a volume whose files can not be listed is unreadable, and not one that needs no room', async () => {
  const wal = path.join(data, 'pg_wal/000000010000000000000001');
  rmSync(wal);
  await expect(look()).rejects.toThrow("The volume can't be read");
  writeFileSync(wal, Buffer.alloc(1024 ** 2));
  await expect(look()).resolves.toMatchObject({ room: { link: { inodes: 1850 } } });
});
