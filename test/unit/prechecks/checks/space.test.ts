import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readVolumeFiles, type VolumeFiles } from '../../../../src/database/volume-files.ts';
import { localPod } from '../../local-pod.ts';
import { inputs, target } from '../../objects.ts';
import { answerOf, files, known, unread } from '../facts.ts';

const mebibyte = 1024 ** 2;
const segment = 16 * mebibyte;
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

  test('without a trial whether the volume links, missing room for a copy is a warning; after one, the result counts', async () => {
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
});

describe('the room that is needed', () => {
  const room = readFileSync('src/job/room.awk', 'utf8');
  const upgradeScript = path.resolve('src/job/upgrade.sh');
  const data = dataDirectory();
  const look = async () => await readVolumeFiles(localPod(), await target(undefined, { dataDirectory: data }), room);

  /** What check_space of the Job says it needs where there is nothing of this kind. */
  function jobNeeds(mode: string, missing: '-k' | '-i'): number {
    const functions = ['check_space', 'room', 'advice'].map((name) => `/^${name}()/,/^}/p`).join(';');
    const script = `
      source <(sed -n '${functions};/^tablespaces()/p' "$1")
      DATA=$2 MODE=$3 TRANSFER=$3 TO=14 here=${path.dirname(upgradeScript)}
      old_control() { echo ${String(segment)}; }
      available() { if [ "$1" = "${missing}" ]; then echo 0; else echo 999999999; fi; }
      log() { :; }
      refuse() { echo "$*"; exit 0; }
      check_space`;
    const said = execFileSync('bash', ['-c', script, 'bash', upgradeScript, data, mode], { encoding: 'utf8' });
    return Number(/about (\d+)/.exec(said)?.[1]);
  }

  test.each(['link', 'clone', 'copy'] as const)(
    'is the same to the check and to the Job with transfer mode %s',
    async (mode) => {
      const seen = await look();
      expect(seen.data.files).toBe(8);
      expect(seen.walLink).toBeUndefined();
      expect(Math.floor(seen.room[mode].kilobytes / 1024)).toBe(jobNeeds(mode, '-k'));
      expect(seen.room[mode].inodes).toBe(jobNeeds(mode, '-i'));
    },
  );

  test.each([
    // Three segments of 16 MiB, 1.25 times the catalogs or 9.5 MB for each database, and the status.
    [{ databases: 4, catalogs: 32_000 }, 'link 191592 2900'],
    [{ databases: 100, catalogs: 32_000 }, 'link 1101592 36500'],
    [{ databases: 4, catalogs: 32_000 }, 'clone 191734 2902'],
    [{ databases: 4, catalogs: 32_000 }, 'copy 198942 2902'],
  ])('with %j is %s', ({ databases, catalogs }, line) => {
    const file = (name: string, kilobytes: number) => `${name} ${String(kilobytes)} ${String(kilobytes * 1024)}\n`;
    const input = file('1259', catalogs) + file('16384', 3000) + file('2613', 4000);
    const variables = [`databases=${String(databases)}`, `segment=${String(segment)}`, 'status=40'];
    const args = [...variables.flatMap((variable) => ['-v', variable]), room];
    expect(execFileSync('awk', args, { input, encoding: 'utf8' }).split('\n')).toContain(line);
  });

  test('a link in the place of pg_wal is seen with where it leads to', async () => {
    const [wal, elsewhere] = [path.join(data, 'pg_wal'), path.join(data, '../wal')];
    renameSync(wal, elsewhere);
    symlinkSync(elsewhere, wal);
    try {
      const seen = await look();
      expect(seen.walLink).toBe(elsewhere);
    } finally {
      rmSync(wal);
      renameSync(elsewhere, wal);
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
  write('data/pg_wal/000000010000000000000001', segment / 1024);
  write('data/pg_xact/0000', 256);
  write('data/pg_multixact/offsets/0000', 8);
  write('data/PG_VERSION', 1);
  return path.join(root, 'data');
}
