import { expect, jest, test } from '@jest/globals';
import { permissionsFor } from '../../src/permissions/permissions.ts';
import { Scenario } from './scenario.ts';

jest.setTimeout(60_000);

test('mode status tells where the upgrade stands, with the rights of a precheck and without a write', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.granted = permissionsFor('precheck');
  const end = await scenario.run({ mode: 'status' });
  expect(end.errors).toEqual([]);
  expect(end.exitCode).toBe(0);
  expect(end.outputs).toMatchObject({ verdict: 'not-started', next: 'Run "mode: precheck", then "mode: upgrade".' });
  expect(end.report?.status?.evidence.length).toBeGreaterThan(1);
  expect(end.summary).toContain('**Next:**');
  expect(end.notices).toEqual([expect.stringMatching(/^status: not-started: .* Next: /)]);
  expect(scenario.api.writes).toEqual([]);
  // The superuser's Secret is read, since the journal's seal comes from it; no command runs.
  expect(scenario.api.lines.some((line) => line.includes('/exec'))).toBe(false);
});
