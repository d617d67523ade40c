// A server in which nearly every check finds something, and more than anybody reads: what reaches people is bounded, and says what it left out.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hazards } from '../../src/hazards/table.ts';
import type { ActionEnd } from './action.ts';
import { refuse } from './faults.ts';
import { Scenario } from './scenario.ts';

jest.setTimeout(120_000);

const mebibyte = 1024 ** 2;
/** Asked once, in the server: 2,500 rows of 2,000 characters. */
const verbose = hazards.find((one) => one.severity === 'failed' && one.database === undefined)?.id ?? '';
const row = { object: 'object', detail: 'in the way', remedy: 'DROP SCHEMA "object";' };
const long = Array.from({ length: 2500 }, (_, index) => ({ ...row, object: String(index), detail: 'd'.repeat(2000) }));

async function begin(): Promise<Scenario> {
  const scenario = await Scenario.begin();
  scenario.postgresql.hazards = (id) => (id === verbose ? long : [row]);
  scenario.api.answer('POST', /\/jobs$/, refuse(403, 'Forbidden', `denied: ${'r'.repeat(5 * mebibyte)}`));
  scenario.api.objects.remove({ resource: 'volumesnapshotclasses', namespace: '', name: 'snapshots' });
  scenario.api.objects.remove({ resource: 'storageclasses', namespace: '', name: 'standard' });
  for (const name of ['copy', 'debug'])
    scenario.api.objects.put('pods', {
      metadata: { name, namespace: 'circleci-server' },
      spec: { containers: [], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-postgresql-0' } }] },
      status: { phase: 'Running' },
    });
  return scenario;
}

describe('40 failing checks at once, and 5 MB of evidence', () => {
  let end: ActionEnd;
  const failed = () => (end.report?.findings ?? []).filter(({ status }) => status === 'failed').map((f) => f.check);
  const others = () => (end.report?.findings ?? []).filter(({ status }) => status === 'warning').map((f) => f.check);
  const evidenceOf = (check: string) => end.report?.findings.find((f) => f.check === check)?.evidence ?? [];

  beforeAll(async () => {
    await using scenario = await begin();
    end = await scenario.run();
  });

  test('are so many, and end the run', () => {
    expect(failed().length).toBeGreaterThanOrEqual(40);
    expect(others().length).toBeGreaterThan(10);
    expect(end.exitCode).toBe(1);
    expect(end.outputs['failed-checks']).toBe(failed().join(','));
    expect(end.report?.error?.code).toBe('precheck-blocks');
  });

  test('are ten annotations of each level, the last one the run’s own, and one line for the rest of each', () => {
    expect([end.errors.length, end.warnings.length]).toEqual([10, 10]);
    const checkOf = (annotation: string) => annotation.split(':')[0] ?? '';
    expect(end.errors.map(checkOf)).toEqual([...failed().slice(0, 9), 'precheck-blocks']);
    expect(end.warnings.map(checkOf)).toEqual(others().slice(0, 10));
    const rest = end.stdout.split('\n').filter((line) => line.includes('more without an annotation'));
    expect(rest).toEqual([
      `${String(failed().length - 9)} more without an annotation (error; GitHub shows ten): ${failed().slice(9).join(', ')}`,
      `${String(others().length - 10)} more without an annotation (warning; GitHub shows ten): ${others().slice(10).join(', ')}`,
    ]);
    // GitHub takes no more than 64 KB of one.
    for (const { message } of end.commands.filter(({ name }) => name === 'error' || name === 'warning'))
      expect(message.length).toBeLessThan(10_000);
  });

  test('are outside of groups, as far as people read, and their evidence is cut with a note', () => {
    const lines = end.stdout.split('\n');
    const isShown = (check: string) => lines.some((line) => /^[✗!?] /.test(line) && line.includes(`(${check}: `));
    expect([...failed(), ...others()].filter((check) => !isShown(check))).toEqual([]);
    expect(end.groups).toContain(`All of it: ${verbose}`);
    expect(evidenceOf('admission')[0]).toMatch(/^the Job: .*… \(52\d{5} more characters\) \(HTTP 403\)\.$/);
    expect(evidenceOf(verbose).at(-1)).toMatch(/^… and 24\d\d more lines$/);
    expect(end.stdout).toMatch(/^ {4}… and 24\d\d more lines$/m);
    expect(evidenceOf(verbose).join('').length).toBeLessThan(101_000);
  });

  test('leave log, summary and report at a size that people and GitHub take', () => {
    expect(end.summary).toMatch(/^# ✗ Not ready/);
    expect(Buffer.byteLength(end.summary)).toBeLessThan(mebibyte / 2);
    for (const check of [...failed(), ...others()]) expect(end.summary).toContain(`\`${check}\``);
    expect(end.reportText.length).toBeLessThan(mebibyte);
    expect(end.stdout.length).toBeLessThan(mebibyte);
  });
});

test('a warning blocks the upgrade too with "fail-on: warning", still in ten annotations', async () => {
  await using scenario = await begin();
  const end = await scenario.run({ 'fail-on': 'warning' });
  expect(end.errors).toHaveLength(10);
  expect(end.warnings).toEqual([]);
});

test('a summary that can not be written costs nothing but the summary', async () => {
  await using scenario = await begin();
  const directory = mkdtempSync(path.join(tmpdir(), 'no-summary-'));
  const whole = await scenario.run();
  const without = await scenario.run({}, { environment: { GITHUB_STEP_SUMMARY: directory } });
  rmdirSync(directory);
  expect(without.stdout).toContain('Could not write the job summary: ');
  expect(without.exitCode).toBe(whole.exitCode);
  expect(without.outputs['failed-checks']).toBe(whole.outputs['failed-checks']);
  expect(without.report?.findings).toEqual(whole.report?.findings);
});
