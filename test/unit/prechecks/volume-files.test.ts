// The script that looks at the volume, run over files on this machine.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Database } from '../../../src/database/database.ts';
import { readVolumeFiles } from '../../../src/prechecks/volume-files.ts';
import { target } from '../objects.ts';

const root = mkdtempSync(path.join(tmpdir(), 'volume-'));
const data = path.join(root, 'data');
const programs = path.join(root, 'bin');
for (const directory of ['bin', 'data/base/1', 'data/global', 'data/pg_xact', 'data/pg_multixact', 'data/pg_tblspc'])
  mkdirSync(path.join(root, directory), { recursive: true });
for (const [name, content] of Object.entries({ PG_VERSION: '12\n', 'base/1/1259': 'catalog', 'base/1/16400': 'table' }))
  writeFileSync(path.join(data, name), content);

afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The commands of the pod, with `programs` before all others. */
const local = {
  command: ([program = '', ...args]: readonly string[]) => {
    const env = { ...process.env, PATH: `${programs}:${process.env['PATH'] ?? ''}` };
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', env });
    return Promise.resolve({ stdout, stderr, exitCode: status ?? 1 });
  },
} as Pick<Database, 'command'> as Database;

const look = async () => await readVolumeFiles(local, await target(undefined, { dataDirectory: data }));

test('a file that is gone before find could look at it belongs to nobody else', async () => {
  // As find does it: what it has read the name of and can't stat, is not of that user. PostgreSQL replaces pg_internal.init at any time.
  const find = path.join(programs, 'find');
  writeFileSync(
    find,
    '#!/bin/sh\ncase "$*" in *"! -user"*) echo "$1/base/1/pg_internal.init" ;; esac\nexec /usr/bin/find "$@"\n',
  );
  chmodSync(find, 0o755);
  try {
    expect((await look()).foreignFiles).toEqual([]);
    const theirs = path.join(data, 'base/1/16400');
    const { uid, gid } = lstatSync(theirs);
    chownSync(theirs, 999, 999);
    expect((await look()).foreignFiles).toEqual([theirs]);
    chownSync(theirs, uid, gid);
  } finally {
    rmSync(find);
  }
});

test('of many files of somebody else the first five are told', async () => {
  const names = Array.from({ length: 20 }, (_, index) => path.join(data, `foreign-${String(index)}`));
  for (const name of names) {
    writeFileSync(name, '');
    chownSync(name, 999, 999);
  }
  const { foreignFiles } = await look();
  for (const name of names) rmSync(name);
  expect(foreignFiles).toHaveLength(5);
  expect(names).toEqual(expect.arrayContaining(foreignFiles));
});
