import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { needOf } from '../../../../src/prechecks/checks/space.ts';
import { readVolumeFiles, type VolumeFiles } from '../../../../src/database/volume-files.ts';
import { localPod } from '../../local-pod.ts';
import { inputs, target } from '../../objects.ts';
import { answerOf, databaseFacts, databases, files, known, server, unread } from '../facts.ts';

const mebibyte = 1024 ** 2;
const unasked = unread('probe-volume: false', 'not-asked');

function ask(more: Partial<VolumeFiles>, given: Record<string, string> = {}) {
  return answerOf('free-space', { files: known({ ...files, ...more }), volumeTrial: unasked, inputs: inputs(given) });
}

describe('free-space', () => {
  test.each([
    [0, 'failed'],
    [187, 'failed'],
    [188, 'warning'],
    [374, 'warning'],
    [375, 'passed'],
  ])('%i MiB for 4 databases that are linked: %s', async (free, status) => {
    const answer = await ask({ freeBytes: free * mebibyte });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`${String(free)} MiB free, about 187 MiB needed`);
    if (status !== 'passed')
      expect(answer.commands).toContain('kubectl -n circleci-server patch persistentvolumeclaim data-postgresql-0 -p');
  });

  test('the claim is asked for what is used, twice what is needed and a tenth', async () => {
    const answer = await ask({ freeBytes: 0, totalBytes: 10 * 1024 ** 3 });
    expect(answer.commands).toContain('{"spec":{"resources":{"requests":{"storage":"12Gi"}}}}');
  });

  test.each([
    [2899, 'failed'],
    [2900, 'passed'],
    [undefined, 'passed'],
  ])('%s inodes for 4 databases: %s', async (freeInodes, status) => {
    const answer = await ask({ freeInodes });
    expect(answer.status).toBe(status);
    if (status === 'failed') expect(answer.text).toContain('2899 inodes free, about 2900 needed');
  });

  test.each([
    ['link', {}, 'passed', '187 MiB needed'],
    ['clone', {}, 'passed', '211 MiB needed'],
    ['copy', {}, 'failed', '1262 MiB needed'],
    ['auto', { filesystem: 'xfs' }, 'passed', '211 MiB needed'],
    ['auto', { filesystem: 'nfs' }, 'passed', '211 MiB needed'],
  ])('with "transfer: %s" and %j: %s', async (transfer, more, status, evidence) => {
    const answer = await ask({ freeBytes: 500 * mebibyte, ...more }, { transfer });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(evidence);
  });

  test('where nobody knows whether the volume links, room for a copy is missed with a warning; tried, it counts', async () => {
    const seen = { filesystem: 'fuseblk', freeBytes: 500 * mebibyte };
    const unsure = await ask(seen);
    expect(unsure.status).toBe('warning');
    expect(unsure.text).toContain('if a volume of fuseblk makes neither');
    expect(unsure.remedy?.text).toContain('"probe-volume"');
    const tried = (link: boolean) =>
      answerOf('free-space', {
        files: known({ ...files, ...seen }),
        volumeTrial: known({ clone: { works: false, said: '' }, link: { works: link, said: '' } }),
      });
    expect([(await tried(true)).status, (await tried(false)).status]).toEqual(['passed', 'failed']);
  });

  test('many databases need more, however small they are', async () => {
    const many = Array.from({ length: 100 }, (_, index) => databaseFacts(`d${String(index)}`));
    const seen = known({ ...files, freeBytes: 500 * mebibyte });
    expect((await answerOf('free-space', { files: seen })).status).toBe('passed');
    expect((await answerOf('free-space', { databases: known(many), files: seen })).status).toBe('failed');
  });
});

describe('the numbers of the check and of the Job', () => {
  const upgradeScript = path.resolve('src/job/upgrade.sh');
  const data = dataDirectory();

  /** What check_space of the Job says it needs where there is nothing of this kind. */
  function jobNeeds(mode: string, missing: '-k' | '-i'): number {
    const functions = ['check_space', 'relations', 'advice'].map((name) => `/^${name}()/,/^}/p`).join(';');
    const script = `
      source <(sed -n '${functions};/^tablespaces()/p' "$1")
      DATA=$2 MODE=$3 TRANSFER=$3 TO=14
      old_control() { echo ${String(server.walSegmentSize)}; }
      available() { if [ "$1" = "${missing}" ]; then echo 0; else echo 999999999; fi; }
      log() { :; }
      refuse() { echo "$*"; exit 0; }
      check_space`;
    const said = execFileSync('bash', ['-c', script, 'bash', upgradeScript, data, mode], { encoding: 'utf8' });
    return Number(/about (\d+)/.exec(said)?.[1]);
  }

  test.each(['link', 'clone', 'copy'] as const)('are the same with transfer mode %s', async (mode) => {
    const seen = await readVolumeFiles(localPod(), await target(undefined, { dataDirectory: data }));
    expect(seen.relations.files).toBe(8);
    expect(seen.walLink).toBeUndefined();
    const need = needOf(mode, seen, databases.slice(0, 2), server);
    expect(Math.floor(need.kilobytes / 1024)).toBe(jobNeeds(mode, '-k'));
    expect(Math.floor(need.inodes)).toBe(jobNeeds(mode, '-i'));
  });

  test('a link in the place of pg_wal is seen with where it leads to', async () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'wal-'));
    symlinkSync(elsewhere, path.join(data, 'pg_wal'));
    try {
      const seen = await readVolumeFiles(localPod(), await target(undefined, { dataDirectory: data }));
      expect(seen.walLink).toBe(elsewhere);
    } finally {
      rmSync(path.join(data, 'pg_wal'));
      rmSync(elsewhere, { recursive: true });
    }
  });
});

/** Two databases, a tablespace, large objects, and what another major has in the tablespace. */
function dataDirectory(): string {
  const root = mkdtempSync(path.join(tmpdir(), 'space-'));
  const write = (name: string, kilobytes: number) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), Buffer.alloc(kilobytes * 1024, 1));
  };
  for (const database of ['1', '16401']) {
    write(`data/base/${database}/1259`, 12_000);
    write(`data/base/${database}/2613`, 300);
    write(`data/base/${database}/16402`, 9000);
    write(`data/base/${database}/16402.1`, 33);
    write(`data/base/${database}/PG_VERSION`, 1);
  }
  write('space/PG_12_201909212/16401/16500', 5000);
  write('space/PG_12_201909212/16401/16500_fsm', 24);
  write('space/PG_14_202107181/16401/16500', 7000);
  mkdirSync(path.join(root, 'data/pg_tblspc'));
  symlinkSync(path.join(root, 'space'), path.join(root, 'data/pg_tblspc/16499'));
  write('data/pg_xact/0000', 256);
  write('data/pg_multixact/offsets/0000', 8);
  write('data/PG_VERSION', 1);
  return path.join(root, 'data');
}
