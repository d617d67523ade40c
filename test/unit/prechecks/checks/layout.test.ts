import { describe, expect, test } from '@jest/globals';
import { serverPod, target } from '../../objects.ts';
import { answerOf, files, known, server } from '../facts.ts';

describe('statefulset', () => {
  test.each([
    ['two replicas', { replicas: 2 }, '2 replicas', 'Scale the StatefulSet to 1'],
    ['none', { replicas: 0, pod: undefined }, 'absent', '--replicas=1'],
    ['a pod that is not there', { pod: undefined }, 'absent', '--replicas=1'],
    [
      'a pod that is not ready',
      { pod: serverPod(undefined, { status: { phase: 'Running' } }) },
      'not ready',
      'Start PostgreSQL',
    ],
  ])('with %s fails', async (_what, more, evidence, remedy) => {
    const answer = await answerOf('statefulset', { target: await target(undefined, more) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy?.text).toContain(remedy);
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
    expect(answer.remedy?.text).toContain('above the data directory');
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
    expect(answer.remedy?.text).toContain('PGDATA');
  });
});

describe('layout-wal', () => {
  test.each([
    ['beside the data directory', '/bitnami/postgresql/wal', 'passed'],
    ['on another volume', '/wal', 'failed'],
    ['at a place that begins with the same letters', '/bitnami/postgresql-wal', 'failed'],
    ['in the data directory', '/bitnami/postgresql/data/wal', 'failed'],
    ['nowhere', '', 'failed'],
  ])('a link that leads to WAL %s', async (_what, walLink, status) => {
    const answer = await answerOf('layout-wal', { files: known({ ...files, walLink }) });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`pg_wal leads to ${walLink || 'a path'}`);
  });
});

describe('layout-tablespaces', () => {
  test('a tablespace on the claim is where the Job finds it', async () => {
    expect((await answerOf('layout-tablespaces')).status).toBe('passed');
  });

  test('one that is elsewhere fails, as the Job would refuse it', async () => {
    const answer = await answerOf('layout-tablespaces', { files: known({ ...files, strayTablespaces: ['/fast'] }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('/fast');
    expect(answer.remedy?.text).toContain('pg_default');
  });
});

describe('layout-user', () => {
  test.each([
    ['a server that runs as root', { userId: 0, dataOwner: 0 }, 'a user other than root'],
    ['a server of another user than the template says', { userId: 999, dataOwner: 999 }, 'runAsUser'],
    ['a data directory of somebody else', { dataOwner: 999 }, 'runAsUser'],
    ['a file of somebody else', { foreignFiles: ['/bitnami/postgresql/data/server.key'] }, 'chown'],
  ])('%s fails', async (_what, more, remedy) => {
    const answer = await answerOf('layout-user', { files: known({ ...files, ...more }) });
    expect(answer.status).toBe('failed');
    expect(answer.remedy?.text).toContain(remedy);
    for (const value of Object.values(more).flat()) expect(answer.text).toContain(String(value));
  });
});
