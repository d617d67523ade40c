import { describe, expect, test } from '@jest/globals';
import { inputs, serverPod, target } from '../objects.ts';
import { answerOf, databaseFacts, databases, files, known, server } from './facts.ts';

const mebibyte = 1024 ** 2;

describe('statefulset', () => {
  test.each([
    ['two replicas', { replicas: 2 }, '2 replicas', 'Scale it to 1'],
    ['none', { replicas: 0, pod: undefined }, 'absent', '--replicas=1'],
    ['a pod that is not there', { pod: undefined }, 'absent', '--replicas=1'],
    [
      'a pod that is not ready',
      { pod: serverPod(undefined, { status: { phase: 'Running' } }) },
      'not ready',
      'Start it',
    ],
  ])('with %s fails', async (_what, more, evidence, remedy) => {
    const answer = await answerOf('statefulset', { target: await target(undefined, more) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy).toContain(remedy);
  });
});

describe('layout-mount', () => {
  test.each([
    ['the mount itself', { dataDirectory: '/bitnami/postgresql' }, {}],
    ['outside of the mount', { dataDirectory: '/bitnami/postgresql-data' }, {}],
    ['a mount of its own', {}, { sameFilesystem: false }],
  ])('a data directory that is %s fails', async (_what, ofTarget, ofFiles) => {
    const answer = await answerOf('layout-mount', {
      target: await target(undefined, ofTarget),
      files: known({ ...files, ...ofFiles }),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('data-postgresql-0 at /bitnami/postgresql');
    expect(answer.remedy).toContain('above the data directory');
  });

  test('other places below the mount pass', async () => {
    const elsewhere = await target(undefined, { dataDirectory: '/bitnami/postgresql/pg/main' });
    expect((await answerOf('layout-mount', { target: elsewhere })).status).toBe('passed');
  });
});

describe('layout-data-directory', () => {
  test.each([
    ['another directory', { dataDirectory: '/var/lib/postgresql/data' }, {}, '/var/lib/postgresql/data'],
    ['a directory of another major', {}, { dataVersion: '14' }, 'PG_VERSION there is 14'],
    ['a directory without PG_VERSION', {}, { dataVersion: '' }, 'PG_VERSION there is'],
  ])('a server that uses %s fails', async (_what, ofServer, ofFiles, evidence) => {
    const answer = await answerOf('layout-data-directory', {
      server: known({ ...server, ...ofServer }),
      files: known({ ...files, ...ofFiles }),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy).toContain('PGDATA');
  });
});

describe('layout-user', () => {
  test.each([
    ['a server that runs as root', { userId: 0, dataOwner: 0 }, 'ordinary user'],
    ['a server of another user than the template says', { userId: 999, dataOwner: 999 }, 'runAsUser'],
    ['a data directory of somebody else', { dataOwner: 999 }, 'runAsUser'],
    ['a file of somebody else', { foreignFiles: ['/bitnami/postgresql/data/server.key'] }, 'chown'],
  ])('%s fails', async (_what, more, remedy) => {
    const answer = await answerOf('layout-user', { files: known({ ...files, ...more }) });
    expect(answer.status).toBe('failed');
    expect(answer.remedy).toContain(remedy);
    for (const value of Object.values(more).flat()) expect(answer.text).toContain(String(value));
  });
});

describe('free-space', () => {
  test.each([
    [0, 'failed'],
    [189, 'failed'],
    [190, 'warning'],
    [379, 'warning'],
    [380, 'passed'],
  ])('%i MiB for 4 databases: %s', async (free, status) => {
    const answer = await answerOf('free-space', { files: known({ ...files, freeBytes: free * mebibyte }) });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`${String(free)} MiB free`);
    if (status !== 'passed') expect(answer.remedy).toContain('PersistentVolumeClaim');
  });

  test.each([
    [2899, 'failed'],
    [2900, 'passed'],
    [undefined, 'passed'],
  ])('%s inodes for 4 databases: %s', async (freeInodes, status) => {
    const answer = await answerOf('free-space', { files: known({ ...files, freeInodes }) });
    expect(answer.status).toBe(status);
    if (status === 'failed') expect(answer.text).toContain('2899 inodes free, about 2900 needed');
  });

  test('what is copied is there twice', async () => {
    const given = {
      databases: known(databases.map((d) => ({ ...d, bytes: 1024 ** 3 }))),
      files: known({ ...files, freeBytes: 4200 * mebibyte }),
    };
    const linked = await answerOf('free-space', given);
    const copied = await answerOf('free-space', { ...given, inputs: inputs({ transfer: 'copy' }) });
    expect([linked.status, copied.status]).toEqual(['passed', 'failed']);
    expect(copied.text).toContain('4286 MiB needed for 4 databases that are copied');
  });

  test('many databases need more', async () => {
    const many = Array.from({ length: 100 }, (_, index) => databaseFacts(`d${String(index)}`));
    const freeBytes = 500 * mebibyte;
    const enough = await answerOf('free-space', { databases: known(databases), files: known({ ...files, freeBytes }) });
    const short = await answerOf('free-space', { databases: known(many), files: known({ ...files, freeBytes }) });
    expect([enough.status, short.status]).toEqual(['passed', 'failed']);
  });
});
