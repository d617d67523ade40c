import { describe, expect, test } from '@jest/globals';
import { initdbSettings, jobSettings, parallelJobs } from '../../../src/objects/job-settings.ts';
import { inputs } from '../objects.ts';
import { databaseFacts, databases, server } from '../prechecks/facts.ts';
import { thrownBy } from '../thrown.ts';

describe('the settings of initdb', () => {
  test("are template1's, with those of a database postgres that differs", () => {
    const list = [databaseFacts('template1'), databaseFacts('postgres', { collate: 'C', ctype: 'C' })];
    expect(initdbSettings('admin', list)).toEqual({
      superuser: 'admin',
      encoding: 'UTF8',
      collate: 'en_US.UTF-8',
      ctype: 'en_US.UTF-8',
      postgres: { encoding: 'UTF8', collate: 'C', ctype: 'C' },
    });
  });

  test('say so when there is no database postgres', () => {
    expect(initdbSettings('postgres', [databaseFacts('template1')]).postgres).toBeUndefined();
  });

  test('are never guessed: without template1 nothing starts', async () => {
    const error = await thrownBy(() => initdbSettings('postgres', [databaseFacts('circle')]));
    expect(error.code).toBe('no-template1');
    expect(error.remedy.text).toContain('template1');
  });
});

describe('parallel jobs', () => {
  test.each([
    [undefined, 10, 2, 2],
    [undefined, 3, 8, 3],
    [undefined, 0, 8, 1],
    [7, 3, 2, 7],
  ])('given %j, with %i databases and %i CPUs: %i', (given, count, cpus, expected) => {
    expect(parallelJobs(given, count, cpus)).toBe(expected);
  });
});

describe('what the Job is told', () => {
  test('comes from inputs and server', () => {
    expect(
      jobSettings(inputs({ jobs: '3', transfer: 'copy' }), { ...server, bootstrapSuperuser: 'admin' }, databases),
    ).toMatchObject({
      image: 'cciserver.azurecr.io/server-postgres-upgrade:12-14',
      imagePullSecret: 'regcred',
      jobs: 3,
      transfer: 'copy',
      initdb: { superuser: 'admin' },
    });
  });
});
