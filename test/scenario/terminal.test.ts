// Outside of GitHub Actions: flags, a log for people, and no commands for a runner.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { InputValues } from './action.ts';
import { Scenario } from './scenario.ts';

const startInTerminal = async (scenario: Scenario, inputs: InputValues, environment: Record<string, string> = {}) =>
  await scenario.run(inputs, { inTerminal: true, environment });

/** The log's lines, each of which begins with the time of day. */
function logLines(stdout: string): string[] {
  const log = stdout.replace(/^▸ Outputs\n[^]*/m, '').trimEnd();
  return log.split('\n').map((line) => {
    expect(line).toMatch(/^\d\d:\d\d:\d\dZ( |$)/);
    return line.slice('23:59:59Z '.length);
  });
}

test('a precheck says the same as in a workflow, as plain lines', async () => {
  await using scenario = await Scenario.begin();
  const inWorkflow = await scenario.run();
  const end = await startInTerminal(scenario, {});
  expect(end.exitCode).toBe(0);
  const lines = logLines(end.stdout);
  const [first, second] = lines;
  expect(first).toBe('CircleCI Server PostgreSQL upgrade 0.0.0-unreleased');
  expect(second).toMatch(/^Started outside of GitHub Actions: /);
  expect(end.commands).toEqual([]);
  expect(end.stdout).not.toMatch(/^(\S+Z )?(::|##\[)/m);
  const headings = lines.flatMap((line) => (line.startsWith('▸ ') ? [line.slice(2)] : []));
  const withoutSeconds = (titles: readonly string[]) =>
    titles.map((title) => title.replace(/\d+(\.\d+)? m?s\b/g, 'N s'));
  expect(withoutSeconds(headings)).toEqual(withoutSeconds(inWorkflow.groups));
  expect(end.stdout).toMatch(/^▸ Outputs\n(?:.*\n)*verdict: warning\n/m);
  expect(end).toMatchObject({ outputs: {}, summary: '', state: {} });
});

test('the report has the version, and its path is listed', async () => {
  await using scenario = await Scenario.begin();
  const folder = scenario.file('reports', '');
  const end = await startInTerminal(
    scenario,
    { mode: 'status' },
    { RUNNER_TEMP: folder.slice(0, folder.lastIndexOf('/')) },
  );
  const file = /^report: (.*)$/m.exec(end.stdout)?.[1] ?? '';
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: '0.0.0-unreleased', mode: 'status' });
});

test('outputs and summary go into the files that the environment names, and are not listed then', async () => {
  await using scenario = await Scenario.begin();
  const GITHUB_OUTPUT = scenario.file('outputs', '');
  const GITHUB_STEP_SUMMARY = `${GITHUB_OUTPUT}-summary.md`; // is made
  const end = await startInTerminal(scenario, { mode: 'status' }, { GITHUB_OUTPUT, GITHUB_STEP_SUMMARY });
  expect(end.stdout).not.toContain('▸ Outputs');
  expect(readFileSync(GITHUB_OUTPUT, 'utf8')).toContain('verdict<<');
  expect(readFileSync(GITHUB_STEP_SUMMARY, 'utf8')).toMatch(/^# /);
});

test.each<[string, InputValues, string]>([
  ['an upgrade without "--confirm"', { mode: 'upgrade' }, 'error: confirm-missing: '],
  ['an input that is wrong', { mode: 'precheck', 'job-timeout': '5' }, 'error: input-invalid: '],
])('%s ends with exit code 1, says why, and asks the cluster nothing', async (_what, inputs, says) => {
  await using scenario = await Scenario.begin();
  const end = await startInTerminal(scenario, inputs);
  expect(end.exitCode).toBe(1);
  expect(logLines(end.stdout).filter((line) => line.startsWith(says))).toHaveLength(1);
  expect(end.stdout).toContain('\nverdict: failed\n');
  expect(scenario.api.connected).toBe(0);
});

test('a secret on the command line is refused and not shown', async () => {
  await using scenario = await Scenario.begin();
  const end = await startInTerminal(scenario, { kubeconfig: JSON.stringify(scenario.kubeconfig()), mode: 'status' });
  expect(end.exitCode).toBe(1);
  expect(end.stdout.trimEnd()).toMatch(/^error: flag-secret: The flag "--kubeconfig" takes a path, .*$/);
  expect(scenario.api.connected).toBe(0);
});
