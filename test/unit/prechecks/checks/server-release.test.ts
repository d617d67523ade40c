import { describe, expect, test } from '@jest/globals';
import { answerOf, known } from '../facts.ts';

describe('server-release', () => {
  test.each([
    [['circleci-server-4.9.0'], 'passed'],
    [['circleci-server-4.10.2', 'postgresql-12.1.2'], 'passed'],
    [['circleci-server-5.0.0-rc.1'], 'passed'],
    [['circleci-server-4.8.7'], 'failed'],
    [['circleci-server-3.4.6'], 'failed'],
    // In the middle of an upgrade of the server, or half of one.
    [['circleci-server-4.10.0', 'circleci-server-4.8.7'], 'failed'],
    [['postgresql-12.1.2'], 'warning'],
    [['circleci-server-edge'], 'warning'],
    [[], 'warning'],
  ])('of charts %j: %s', async (charts, status) => {
    const answer = await answerOf('server-release', { charts: known(charts) });
    expect(answer.status).toBe(status);
    if (status !== 'passed') expect(answer.remedy?.text).toMatch(/4\.9/);
    if (status === 'warning') expect(answer.remedy?.text).toContain('`helm -n circleci-server list`');
    for (const chart of status === 'warning' ? charts : []) expect(answer.text).toContain(chart);
  });
});
