import { describe, expect, test } from '@jest/globals';
import { notAsked } from '../../../../src/common/known.ts';
import { statefulSet, target } from '../../objects.ts';
import { answerOf, known, trial, unread } from '../facts.ts';

const ended = { image: trial.image, started: false, exitCode: 1 } as const;
const { configuration } = trial;
const rule = { users: ['all'], method: 'scram-sha-256', line: 95, error: null };

describe('serving-start', () => {
  test('passes where PostgreSQL 14 started, with what it loaded', async () => {
    const { status, text } = await answerOf('serving-start');
    expect(status).toBe('passed');
    expect(text).toContain('PostgreSQL 14.22 of ');
    expect(text).toContain('shared_preload_libraries: pg_stat_statements; 1 rules in pg_hba.conf');
  });

  test('fails where it did not, with its own words', async () => {
    const lines = ['FATAL:  unrecognized configuration parameter "wal_keep_segments"'];
    const { status, text, remedy } = await answerOf('serving-start', { trial: known({ ...ended, lines }) });
    expect(status).toBe('failed');
    expect(text).toContain('ended with code 1');
    expect(text).toContain('"wal_keep_segments"');
    expect(remedy?.text).toContain("the chart's values");
  });

  test('warns of lines that do not come into effect', async () => {
    const wrong = {
      ...configuration,
      errors: ['/conf/extra.conf line 3: work_mem: setting could not be applied'],
      rules: [...configuration.rules, { users: null, method: null, line: 9, error: 'invalid authentication method' }],
    };
    const { status, text } = await answerOf('serving-start', { trial: known({ ...trial, configuration: wrong }) });
    expect(status).toBe('warning');
    expect(text).toContain('/conf/extra.conf line 3: work_mem');
    expect(text).toContain('pg_hba.conf line 9: invalid authentication method');
  });

  test.each([
    [notAsked, 'stops nothing'],
    ['not-tried', 'stops nothing'],
    ['image-unusable', 'stops the run'],
  ] as const)('where nothing was started (%s) is unknown with the reason, and %s', async (code, effect) => {
    const answer = await answerOf('serving-start', { trial: unread('the reason', code) });
    expect([answer.status, answer.text]).toEqual(['unknown', expect.stringContaining('the reason')]);
    expect(answer.ignored === undefined ? 'stops the run' : 'stops nothing').toBe(effect);
  });
});

test('serving-start says what a trial without TLS does not show, and takes rules for TLS as they are meant', async () => {
  const set = statefulSet();
  const template = set.spec?.template.spec;
  if (template) template.initContainers = [{ name: 'copy-certs' }];
  const found = { ...(await target()), statefulSet: set };
  const env = [{ name: 'POSTGRESQL_ENABLE_TLS', value: 'yes' }];
  const error = 'hostssl record cannot match because SSL is disabled';
  const tried = known({ ...trial, configuration: { ...configuration, rules: [{ ...rule, error }] } });
  const facts = { trial: tried, target: { ...found, container: { ...found.container, env } } };
  const { status, text } = await answerOf('serving-start', facts);
  expect(status).toBe('passed');
  expect(text).toContain('It started without TLS');
  expect((await answerOf('serving-start', { trial: tried })).status).toBe('warning');
});

describe('serving-logins', () => {
  const md5Roles = known(['app', 'reports']);

  test('passes where no role has a password stored as md5, whatever PostgreSQL 14 does', async () => {
    expect((await answerOf('serving-logins', { trial: unread('no pod') })).status).toBe('passed');
  });

  test('passes where no rule of PostgreSQL 14 asks for another one', async () => {
    expect((await answerOf('serving-logins', { md5Roles })).status).toBe('passed');
  });

  test.each([
    [['all'], ['app', 'reports']],
    [['app'], ['app']],
  ])('fails for those whom a rule of PostgreSQL 14 for %j refuses', async (users, refused) => {
    const strict = { ...configuration, rules: [{ ...rule, users }] };
    const answer = await answerOf('serving-logins', { md5Roles, trial: known({ ...trial, configuration: strict }) });
    expect(answer.status).toBe('failed');
    expect(answer.evidence.map((line) => line.split(':')[0])).toEqual(refused);
    expect(answer.text).toContain('line 95 of pg_hba.conf in ');
  });

  test('is unknown where PostgreSQL 14 did not start', async () => {
    const answer = await answerOf('serving-logins', { md5Roles, trial: known({ ...ended, lines: [] }) });
    expect(answer.status).toBe('unknown');
  });
});
