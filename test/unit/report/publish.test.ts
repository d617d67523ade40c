import { describe, expect, test } from '@jest/globals';
import type { Status } from '../../../src/findings/finding.ts';
import type { Report } from '../../../src/report/report-shape.ts';
import { publish } from '../../../src/report/publish.ts';
import { shellRemedy } from '../../../src/text/remedy.ts';
import { FakeRunner } from '../fake-runner.ts';
import { report } from './reports.ts';

describe('publishing a report', () => {
  test('sets every output, writes the file and the summary', async () => {
    const runner = new FakeRunner();
    await publish(runner, report());
    expect(runner.outputs).toEqual({
      verdict: 'upgraded',
      backup: 'VolumeSnapshot snap-1',
      report: '/temporary/postgresql-upgrade-report.json',
      imageRegistry: 'cciserver.azurecr.io',
      imageRepository: 'server-postgres',
      imageTag: '14.22.4094-4922444',
      image: 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444',
      snapshot: 'snap-1',
      downtimeSeconds: '61.5',
    });
    expect(JSON.parse(runner.files['postgresql-upgrade-report.json'] ?? '')).toEqual(
      JSON.parse(JSON.stringify(report())),
    );
    expect(runner.summary).toContain('# ✓ PostgreSQL 14 serves');
  });

  test('tells at the end of the log what is left to do, in commands that can be copied', async () => {
    const runner = new FakeRunner();
    const nextSteps = [{ text: 'Trigger a workflow.' }, shellRemedy('Remove it:', 'kubectl delete x')];
    await publish(runner, report({ nextSteps }));
    expect(runner.log.lines).toEqual([
      'What is left to do:',
      '1. Trigger a workflow.',
      '2. Remove it:\nIn a shell:\nkubectl delete x',
    ]);
  });

  test('names the checks that block it, without those that are ignored', async () => {
    const runner = new FakeRunner();
    const finding = (check: string, status: Status, more = {}) => ({
      check,
      title: check,
      status,
      evidence: ['x'],
      docs: '',
      ...more,
    });
    await publish(
      runner,
      report({
        findings: [
          finding('a', 'failed'),
          finding('b', 'unknown'),
          finding('c', 'failed'),
          finding('d', 'warning'),
          finding('e', 'failed', { ignored: 'we know' }),
        ],
      }),
    );
    expect(runner.outputs).toMatchObject({ failedChecks: 'a,c', unknownChecks: 'b' });
  });

  test('sets the outputs of the pull request', async () => {
    const runner = new FakeRunner();
    const made = { operation: 'created' as const, number: 7, url: 'https://x/7', headSha: 'abc', changes: [] };
    await publish(runner, report({ pullRequest: made }));
    expect(runner.outputs).toMatchObject({
      pullRequestOperation: 'created',
      pullRequestNumber: '7',
      pullRequestUrl: 'https://x/7',
      pullRequestHeadSha: 'abc',
    });
  });

  test('sets the outputs of the issue, as far as there is one', async () => {
    const runner = new FakeRunner();
    await publish(runner, report({ issue: { operation: 'reopened', number: 7, url: 'https://x/7' } }));
    expect(runner.outputs).toMatchObject({ issueOperation: 'reopened', issueNumber: '7', issueUrl: 'https://x/7' });
    expect(runner.summary).toContain('Issue about the prechecks: [#7](https://x/7) (reopened).');
    const other = new FakeRunner();
    await publish(other, report({ issue: { operation: 'none', number: undefined, url: undefined } }));
    expect(other.outputs).toMatchObject({ issueOperation: 'none' });
    expect(other.outputs).not.toHaveProperty('issueNumber');
    expect(other.summary).not.toContain('Issue about');
  });

  test.each([
    [undefined, '`VolumeSnapshot snap-1`.'],
    [
      { cutAt: '2026-01-02T03:04:05Z', readyAt: '2026-01-02T03:09:05.000Z' },
      '`VolumeSnapshot snap-1` (cut at `2026-01-02T03:04:05Z`, ready at `2026-01-02T03:09:05.000Z`).',
    ],
    [
      { cutAt: '2026-01-02T03:04:05Z' },
      '`VolumeSnapshot snap-1` (cut at `2026-01-02T03:04:05Z`, not seen to be ready).',
    ],
  ])('says when the backup was cut and ready: %j', async (backupTimes, text) => {
    const runner = new FakeRunner();
    await publish(runner, report({ backupTimes }));
    expect(runner.summary).toContain(`backup from before: ${text}`);
  });

  test.each<[Report['backupProof'], string]>([
    [
      { by: 'rehearsal', run: 'https://github.com/o/r/actions/runs/1/attempts/1', at: '2026-01-02T03:04:05Z' },
      'that such a backup can be restored was proved by the rehearsal of `2026-01-02T03:04:05Z` ([`https://github.com/o/r/actions/runs/1/attempts/1`](https://github.com/o/r/actions/runs/1/attempts/1)).',
    ],
    [{ by: 'rehearsal', run: 'process 1', at: '2026-01-02T03:04:05Z' }, '`2026-01-02T03:04:05Z` (`process 1`).'],
    [{ by: 'upgrade' }, 'before the downtime PostgreSQL 12 started on a copy made in the same way.'],
  ])('says what proved the backup: %j', async (backupProof, text) => {
    const runner = new FakeRunner();
    await publish(runner, report({ backupProof }));
    expect(runner.summary).toContain('backup from before: `VolumeSnapshot snap-1`; ');
    expect(runner.summary).toContain(text);
  });

  test('sets no output for what there is not', async () => {
    const runner = new FakeRunner();
    await publish(
      runner,
      report({
        verdict: 'failed',
        image: undefined,
        snapshot: undefined,
        backup: undefined,
        downtimeSeconds: undefined,
      }),
    );
    expect(Object.keys(runner.outputs).sort()).toEqual(['report', 'verdict']);
  });

  test('sets the predicted downtime only where every step of it is predicted', async () => {
    const predicted = async (seconds: Partial<NonNullable<Report['plan']>>) => {
      const runner = new FakeRunner();
      const plan = { predictedSeconds: 40, lowSeconds: 28, highSeconds: 53, steps: [], ...seconds };
      await publish(runner, report({ plan }));
      return [runner.outputs.predictedDowntimeSeconds, runner.outputs.predictedDowntimeRange];
    };
    expect(await predicted({ downtimeSeconds: 40 })).toEqual(['40', '28-53']);
    expect(await predicted({})).toEqual([undefined, undefined]);
  });

  test('a report that can not be written costs neither outputs nor summary', async () => {
    const runner = new FakeRunner();
    runner.writeReport = () => Promise.reject(new Error('no space left on device'));
    await publish(runner, report());
    expect(runner.outputs.verdict).toBe('upgraded');
    expect(runner.outputs.report).toBeUndefined();
    expect(runner.summary).not.toBe('');
    expect(runner.log.text).toContain('no space left on device');
  });
});
