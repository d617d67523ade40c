import { expect, test } from '@jest/globals';
import { Scenario } from './scenario.ts';

test.each([
  ['is not set', undefined],
  ['names a file that is not there', '/does/not/exist/summary'],
  ['is a directory', '/etc'],
])('the run is the same when GITHUB_STEP_SUMMARY %s', async (_what, GITHUB_STEP_SUMMARY) => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run({}, { environment: { GITHUB_STEP_SUMMARY } });
  expect(end.exitCode).toBe(0);
  expect(end.errors).toEqual([]);
  expect(end.outputs['verdict']).toBe('warning');
  expect(end.report?.verdict).toBe('warning');
  expect(end.stdout).toContain('Could not write the job summary: ');
});

test('a report that cannot be written is told, and changes nothing else', async () => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run({}, { environment: { RUNNER_TEMP: '/does/not/exist' } });
  expect(end.exitCode).toBe(0);
  expect(end.outputs).toEqual(expect.objectContaining({ verdict: 'warning' }));
  expect(end.outputs['report']).toBeUndefined();
  expect(end.stdout).toContain('The report could not be written: ');
  expect(end.summary).toMatch(/^# ! Ready for the upgrade/);
});

test('an event file that is not JSON is no fork', async () => {
  await using scenario = await Scenario.begin();
  const event = scenario.file('event', 'not { json');
  const end = await scenario.run({}, { environment: { GITHUB_EVENT_PATH: event } });
  expect(end.exitCode).toBe(0);
});
