import { describe, expect, test } from '@jest/globals';
import { answerOf, known, server, unread } from '../facts.ts';

describe('superuser-login', () => {
  test('says as whom and with which Secret, not with which password', async () => {
    const { text } = await answerOf('superuser-login');
    expect(text).toContain('as postgres with Secret postgresql, key postgres-password');
  });

  test('fails when psql was refused, in the words of psql', async () => {
    const reason = 'psql in pod postgresql-0: FATAL:  password authentication failed for user "postgres"';
    const answer = await answerOf('superuser-login', { server: unread(reason, 'psql-failed') });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('password authentication failed');
    expect(answer.remedy?.text).toContain('"secret-key"');
  });

  test.each([
    'psql: error: could not connect to server: FATAL:  the database system is shutting down',
    'psql: FATAL:  the database system is starting up',
    'psql: error: could not connect to server: Connection refused',
    'psql: error: could not connect to server: No such file or directory',
    'psql: error: FATAL:  sorry, too many clients already',
  ])('is unknown where the server did not look at the password: %s', async (reason) => {
    const answer = await answerOf('superuser-login', { server: unread(reason, 'psql-failed') });
    expect(answer.status).toBe('unknown');
    expect(answer.text).toContain(reason);
    expect(answer.remedy?.text).not.toContain('secret-name');
  });

  test('is unknown when the pod was not reached', async () => {
    const answer = await answerOf('superuser-login', {
      server: unread('no answer from the API server', 'unreachable'),
    });
    expect(answer.status).toBe('unknown');
  });

  test('fails when the session is that of another role', async () => {
    const answer = await answerOf('superuser-login', { server: known({ ...server, currentUser: 'reader' }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('reader');
    expect(answer.remedy?.text).toContain('RESET role');
  });
});

describe('server-version', () => {
  test.each([120000, 120016, 129999])('%i passes', async (versionNumber) => {
    expect((await answerOf('server-version', { server: known({ ...server, versionNumber }) })).status).toBe('passed');
  });

  test.each([
    [110022, '11.22'],
    [130011, '13.11'],
    [140022, '14.22'],
    [90624, '9.6.24'],
  ])('%i fails', async (versionNumber, version) => {
    const answer = await answerOf('server-version', { server: known({ ...server, versionNumber, version }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(version);
    expect(answer.remedy?.text).toContain('12');
  });

  test('a standby fails', async () => {
    const answer = await answerOf('server-version', { server: known({ ...server, inRecovery: true }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('in recovery');
    expect(answer.remedy?.text).toContain('primary');
  });
});

describe('what pg_upgrade refuses or leaves behind', () => {
  const prepared = { kind: 'prepared transaction', gid: "it's", database: 'vms', owner: 'vms' } as const;
  const logical = {
    kind: 'replication slot',
    name: 'cdc',
    type: 'logical',
    database: 'circle',
    usedBy: 'pid 77, reader',
  } as const;
  const physical = {
    kind: 'replication slot',
    name: 'standby',
    type: 'physical',
    database: null,
    usedBy: null,
  } as const;
  const obstacles = known([prepared, logical, physical]);

  test('a prepared transaction fails, with the statement in its database', async () => {
    const answer = await answerOf('prepared-transactions', { obstacles });
    expect(answer.status).toBe('failed');
    expect(answer.evidence).toEqual([`prepared transaction 'it''s' in database "vms", of vms`]);
    expect(answer.remedy?.text).toContain(`In database "vms": \`ROLLBACK PREPARED 'it''s';\``);
    expect(answer.remedy?.text).toContain('kubectl -n circleci-server exec -it postgresql-0 -c postgresql -- sh -c');
  });

  test('replication slots fail, logical or physical, with the statements that drop them', async () => {
    const answer = await answerOf('replication-slots', { obstacles });
    expect(answer.status).toBe('failed');
    expect(answer.evidence).toEqual([
      'logical replication slot cdc in database "circle", in use by pid 77, reader',
      'physical replication slot standby, inactive',
    ]);
    expect(answer.remedy?.text).toContain(
      "SELECT pg_catalog.pg_drop_replication_slot('cdc'); SELECT pg_catalog.pg_drop_replication_slot('standby');",
    );
    expect(answer.remedy?.text).toMatch(/1\. Stop the readers .* 2\. As the superuser \(`kubectl [^`]*`\): `SELECT/);
    expect(answer.remedy?.text).not.toContain('PREPARED');
  });

  test('one kind says nothing of the other', async () => {
    expect((await answerOf('prepared-transactions', { obstacles: known([logical]) })).status).toBe('passed');
    expect((await answerOf('replication-slots', { obstacles: known([prepared]) })).status).toBe('passed');
  });
});
