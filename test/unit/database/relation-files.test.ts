import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { listFiles } from '../../../src/database/relation-files.ts';
import { localPod } from '../local-pod.ts';

let volume: string;
let data: string;

beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'files-'));
  data = join(volume, "da'ta");
});

afterEach(() => {
  rmSync(volume, { recursive: true });
});

function write(path: string, content: string): string {
  const whole = join(volume, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

function upgraded(marker: string): void {
  write("da'ta/.postgresql-upgrade", marker);
  const old = write("da'ta-12.preupgrade/base/16384/16999", 'pages');
  write("da'ta-12.preupgrade/base/16384/16999_vm", 'map');
  write("da'ta-12.preupgrade/base/16384/1247", 'of the catalog');
  write("da'ta-12.preupgrade/base/16384/2613", '');
  write("da'ta/base/5/1247", 'of the catalog');
  linkSync(old, join(volume, "da'ta/base/5/20001"));
  const far = write('far/PG_12_201909212/16384/17000.1', 'far');
  write('far/PG_14_202107181/5/1', '');
  linkSync(far, join(volume, 'far/PG_14_202107181/5/20002.1'));
  for (const [directory, oid] of [
    ["da'ta-12.preupgrade", '16400'],
    ["da'ta", '16390'],
  ] as const) {
    mkdirSync(join(volume, directory, 'pg_tblspc'));
    symlinkSync(join(volume, 'far'), join(volume, directory, 'pg_tblspc', oid));
  }
}

test('lists the files of both data directories and of tablespaces, by inode and size, without those of catalogs', async () => {
  upgraded('run=1\ntransfer=link\nold_control=1 2\n');
  const { isLink, files } = await listFiles(localPod(), data, 10_000);
  expect(isLink).toBe(true);
  const inode = (path: string) => {
    const { dev, ino } = statSync(join(volume, path));
    return `${String(dev)}:${String(ino)}`;
  };
  const main = { inode: inode("da'ta/base/5/20001"), bytes: 5 };
  const far = { inode: inode('far/PG_12_201909212/16384/17000.1'), bytes: 3 };
  expect(Object.fromEntries(files?.now ?? [])).toEqual({
    'base/5/20001': main,
    'pg_tblspc/16390/PG_14_202107181/5/20002.1': far,
  });
  expect(Object.fromEntries(files?.kept ?? [])).toEqual({
    'base/16384/16999': main,
    'base/16384/16999_vm': { inode: inode("da'ta-12.preupgrade/base/16384/16999_vm"), bytes: 3 },
    'base/16384/2613': { inode: inode("da'ta-12.preupgrade/base/16384/2613"), bytes: 0 },
    'pg_tblspc/16400/PG_12_201909212/16384/17000.1': far,
  });
});

test.each(['run=1\ntransfer=copy\n', 'transfer=clone\n', ''])(
  'lists nothing where the marker says %j',
  async (marker) => {
    upgraded(marker);
    expect(await listFiles(localPod(), data, 10_000)).toEqual({ isLink: false });
  },
);

test('says that it has no list where find prints no inodes, or a directory is missing', async () => {
  upgraded('transfer=link\n');
  write('bin/find', '#!/bin/sh\necho "find: unrecognized: -printf" >&2\nexit 1\n');
  chmodSync(join(volume, 'bin/find'), 0o755);
  expect(await listFiles(localPod([], join(volume, 'bin')), data, 10_000)).toEqual({ isLink: true });
  rmSync(join(volume, "da'ta-12.preupgrade"), { recursive: true });
  expect(await listFiles(localPod(), data, 10_000)).toEqual({ isLink: true });
});
