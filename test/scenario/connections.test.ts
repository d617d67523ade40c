// Each connection costs three round trips before the call: the calls share them.
import { expect, test } from '@jest/globals';
import { hangUp } from './faults.ts';
import { Scenario } from './scenario.ts';

const status = { mode: 'status' } as const;

test.concurrent('reads share connections, commands in pods too', async () => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run();
  expect(end.errors).toEqual([]);
  const { calls, connected } = scenario.api;
  // Reviews and dry runs are creations, which have a connection of their own.
  const creations = calls.filter(({ method, path }) => method === 'POST' && !path.endsWith('/exec')).length;
  const others = calls.length - creations;
  expect(others).toBeGreaterThan(40);
  expect(connected - creations).toBeLessThan((2 * others) / 3);
});

test.concurrent('a connection that was closed meanwhile is no outage: the call is sent once more', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('GET', /\/statefulsets$/, hangUp, 1);
  const end = await scenario.run(status);
  expect(end.errors).toEqual([]);
  expect(end.stdout).not.toContain('before the next attempt');
  expect(scenario.api.lines.filter((line) => line.endsWith('/statefulsets')).length).toBeGreaterThan(1);
});

test.concurrent('one that breaks again is one', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('GET', /\/statefulsets$/, hangUp, 2);
  const end = await scenario.run(status);
  expect(end.errors).toEqual([]);
  expect(end.stdout).toMatch(/^Can't list statefulsets \(.+\)\. Waiting 0.5 s before the next attempt$/m);
});
