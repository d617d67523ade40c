import { describe, expect, test } from '@jest/globals';
import type { Verdict } from '../../../src/report/report-shape.ts';
import { renderSummary } from '../../../src/report/summary.ts';
import { shellRemedy } from '../../../src/text/remedy.ts';
import type { Finding } from '../../../src/findings/finding.ts';
import { namespace } from '../objects.ts';
import { report } from './reports.ts';

const finding: Finding = {
  check: 'volume-users',
  title: 'Other pods on the volume',
  status: 'failed',
  evidence: ['pod debug'],
  remedy: { text: 'Stop it.' },
  docs: 'd',
};

const phase = { id: 'a', title: 'Stop', startedAt: '2026-01-02T03:04:05.000Z', seconds: 3, outcome: 'done' as const };

describe('the job summary', () => {
  test.each<[Verdict, string]>([
    ['passed', '✓ Ready'],
    ['warning', '! Ready'],
    ['unknown', '? Not ready for the upgrade: some checks have no answer'],
    ['upgraded', '✓ PostgreSQL 14 serves'],
    ['already-upgraded', 'nothing was changed'],
    ['reverted', '✗ The upgrade failed; PostgreSQL 12 serves again'],
    ['proposed', '✓ The pull request'],
    ['up-to-date', 'names the image'],
    ['declined', '! Somebody closed'],
    ['cleaned-up', '✓ Cleaned up'],
  ])('begins with the verdict: %s', (verdict, headline) => {
    const [first] = renderSummary(report({ verdict })).split('\n');
    expect(first).toMatch(/^# /);
    expect(first).toContain(headline);
  });

  test.each([
    ['precheck', 'precheck-blocks', '✗ Not ready for the upgrade'],
    ['upgrade', 'precheck-blocks', '✗ Not ready for the upgrade'],
    ['precheck', 'forbidden', '✗ The precheck failed'],
    ['upgrade', 'way-back-failed', '✗ The upgrade failed'],
    ['upgrade', 'start-too-late', '✗ The upgrade did not begin. Nothing was changed.'],
    ['upgrade', 'downtime-too-long', '✗ The upgrade did not begin. Nothing was changed.'],
    ['rollback', 'wait-limit', '✗ The rollback failed'],
    ['rollback', 'consent-missing', '? The rollback needs your consent. Nothing was changed.'],
    ['cleanup', 'cleanup-blocked', '✗ Not cleaned up: a condition is not met. Nothing was removed.'],
    ['cleanup', 'cleanup-incomplete', '✗ The cleanup failed'],
    ['status', 'unreachable', '✗ The status could not be read'],
    ['values', 'values-templated', '✗ The pull request for values.yaml failed'],
  ] as const)('tells a server that is not ready from a run that failed: %s, %s', (mode, code, headline) => {
    const error = { code, message: 'It failed.', remedy: { text: 'Look.' } };
    const [first] = renderSummary(report({ verdict: 'failed', mode, error, findings: [finding] })).split('\n');
    expect(first).toBe(`# ${headline}`);
  });

  test.each([
    ['passed', '✓ The upgrade passed on a copy of the volume'],
    ['warning', '! The upgrade passed on a copy of the volume, with warnings'],
    ['unknown', '? The rehearsal has not answered everything'],
    ['failed', '✗ The rehearsal failed'],
  ] as const)('has each stage of a rehearsal, and what to do: %s', (verdict, headline) => {
    const rehearsal = [
      { id: 'rehearsal-copy', title: 'Copy of the volume', status: 'passed' as const, evidence: ['made from a|b'] },
      {
        ...{ id: 'rehearsal-upgrade', title: 'pg_upgrade on the copy', status: 'failed' as const },
        ...{ evidence: ['no library <b>'], remedy: { text: 'Install it.' } },
      },
    ];
    const error = { code: 'rehearsal-failed', message: 'It did not pass.', remedy: { text: 'Look.' } };
    const given = verdict === 'failed' ? { error } : {};
    const summary = renderSummary(report({ verdict, mode: 'rehearse', serving: false, rehearsal, ...given }));
    expect(summary.split('\n')[0]).toBe(`# ${headline}`);
    expect(summary).toContain('## The upgrade on the copy\n');
    expect(summary).toContain('| ✓ passed | Copy of the volume | `made from a\\|b` |');
    expect(summary).toContain('| ✗ failed | pg\\_upgrade on the copy | `no library <b>` |');
    expect(summary).toContain('**pg\\_upgrade on the copy**: Install it.');
  });

  test('has the verdict, the error, what is left to do, the checks, and then how the run went', () => {
    const phases = ['a', 'b', 'c'].map((title) => ({ ...phase, title }));
    const text = renderSummary(
      report({
        ...{ verdict: 'reverted', serving: false, phases, findings: [finding], warnings: ['Watch it.'] },
        error: { code: 'reverted', message: 'It failed.', remedy: { text: 'Look.' } },
        nextSteps: [{ text: 'Trigger a workflow.' }, shellRemedy('Remove it:', 'kubectl delete x')],
      }),
    );
    const parts = [
      '# ✗ The upgrade failed',
      `Namespace \`${namespace}\` in cluster \`https://cluster.example:6443\``,
      '> [!CAUTION]',
      '> [!WARNING]',
      '## What is left to do',
      '**1.** Trigger a workflow.',
      '**2.** Remove it:',
      'kubectl delete x',
      '## Checks',
      '1 checks: **1 ✗ failed**',
      '| ✗ failed | Other pods',
      '## Phases',
      '```mermaid',
      '| a | `03:04:05` |',
    ];
    const at = parts.map((part) => text.indexOf(part));
    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
  });

  test('of an upgrade says what values.yaml must say, and what comes next', () => {
    const text = renderSummary(report());
    expect(text).toContain(
      '    registry: cciserver.azurecr.io\n    repository: server-postgres\n    tag: 14.22.4094-4922444',
    );
    expect(text).toContain('**12.16** → **14.22**');
    expect(text).toContain('`VolumeSnapshot snap-1`');
    expect(text).toContain('**61.5 s**');
  });

  test('says by what the data was found to be as before', () => {
    const comparison = 'The data is as measured before the upgrade: 3 databases. 40 tables have the same files';
    expect(renderSummary(report({ comparison }))).toContain(`\n\n${comparison}.\n\n`);
    expect(renderSummary(report())).not.toContain('undefined');
  });

  const pullRequest = {
    operation: 'created' as const,
    number: 7,
    url: 'https://github.example/admins/server/pull/7',
    headSha: 'abc',
    changes: [{ path: 'postgresql.image.tag', line: 5, before: '12.16', after: '14.22' }],
  };

  test('asks for the merge where there is a pull request, instead of an edit by hand', () => {
    const text = renderSummary(report({ pullRequest }));
    expect(text).toContain('**Merge [the pull request](https://github.example/admins/server/pull/7)');
    expect(text).not.toContain('    tag: 14');
  });

  test('asks for nothing where values.yaml names the image already', () => {
    const none = { ...pullRequest, operation: 'none' as const, number: undefined, url: undefined, changes: [] };
    const text = renderSummary(report({ pullRequest: none }));
    expect(text).not.toContain('values.yaml');
  });

  test('says what to set by hand where somebody closed the pull request', () => {
    const text = renderSummary(
      report({ verdict: 'declined', serving: false, pullRequest: { ...pullRequest, operation: 'closed' } }),
    );
    expect(text).toContain('    tag: 14.22.4094-4922444');
  });

  test.each<Verdict>(['failed', 'reverted', 'passed'])(
    'of %s does not say that values.yaml is to be changed',
    (verdict) => {
      expect(renderSummary(report({ verdict, serving: false }))).not.toContain('values.yaml');
    },
  );

  test('nor does it where PostgreSQL 14 had served before the revert', () => {
    expect(renderSummary(report({ verdict: 'reverted', serving: true }))).not.toContain('values.yaml');
    const error = { code: 'way-back-failed', message: 'It failed.', remedy: { text: 'Look.' } };
    expect(renderSummary(report({ verdict: 'failed', serving: true, error }))).not.toContain('values.yaml');
  });

  test('says neither namespace nor mode where the inputs could not be read', () => {
    expect(renderSummary(report({ namespace: '' }))).not.toMatch(/Namespace `|, mode `/);
  });

  test('says no downtime when there was none', () => {
    expect(renderSummary(report({ downtimeSeconds: undefined }))).not.toContain('downtime');
    expect(renderSummary(report())).toContain('**61.5 s**, full statistics after **75.5 s**.');
    expect(renderSummary(report({ statisticsSeconds: undefined }))).not.toContain('statistics');
  });

  test.each([
    [{ seconds: 60, lowSeconds: 42, highSeconds: 78, isWithin: true }, '(predicted: 42 to 78 s)'],
    [{ seconds: 40, lowSeconds: 30, highSeconds: 50, isWithin: false }, '(predicted: 30 to 50 s; it took longer)'],
    [{ seconds: 90, lowSeconds: 70, highSeconds: 110, isWithin: false }, '(predicted: 70 to 110 s; it took less)'],
  ])('has the range that was predicted, and whether the downtime was within: %j', (predictedDowntime, text) => {
    expect(renderSummary(report({ predictedDowntime }))).toContain(`**61.5 s** ${text}, full statistics`);
  });

  test('has the error and what to do, in one line each', () => {
    const error = { code: 'job-failed', message: 'The Job failed:\n\nno space', remedy: { text: 'Make\nroom.' } };
    const text = renderSummary(report({ verdict: 'failed', error }));
    expect(text).toContain('> [!CAUTION]\n> The Job failed: no space\n>\n> **What to do:** Make room.');
  });

  test('has each warning', () => {
    const text = renderSummary(report({ warnings: ['first', 'second\nline'] }));
    expect(text.match(/\[!WARNING\]/g)).toHaveLength(2);
    expect(text).toContain('> second line');
  });

  test('shows findings by their titles, with evidence and remedy', () => {
    const text = renderSummary(report({ verdict: 'failed', findings: [finding] }));
    expect(text).toContain('| ✗ failed | Other pods on the volume `volume-users` | `pod debug` |');
    expect(text).toContain('**Other pods on the volume** (`volume-users`): Stop it.');
  });

  test('folds commands that are longer than people read', () => {
    const lines = Array.from({ length: 21 }, (_, index) => `DROP TABLE t${String(index)};`);
    const with21 = { ...finding, remedy: { text: 'Drop them.', commands: [{ in: 'psql' as const, lines }] } };
    const text = renderSummary(report({ findings: [with21] }));
    expect(text).toContain(
      '<details><summary>In psql in the pod of the server, as the superuser: 21 lines</summary>\n\n```\nDROP TABLE t0;\n',
    );
    const with20 = { ...finding, remedy: { text: 'x', commands: [{ in: 'psql' as const, lines: lines.slice(1) }] } };
    expect(renderSummary(report({ findings: [with20] }))).toContain(
      'In psql in the pod of the server, as the superuser:\n\n```\nDROP TABLE t1;\n',
    );
  });

  test('has the worst first, and what passed folded up', () => {
    const findings = (['passed', 'warning', 'unknown', 'failed'] as const).map((status) => ({ ...finding, status }));
    const rows = renderSummary(report({ findings })).split('\n');
    const at = (text: string) => rows.findIndex((line) => line.startsWith(text));
    const order = [
      '4 checks: **1 ✓ passed, 1 ✗ failed, 1 ? unknown, 1 ! warning**',
      '| ✗ failed',
      '| ? unknown',
      '| ! warning',
      '<details><summary>1 checks passed',
      '| ✓ passed',
    ].map(at);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(-1);
  });

  test('has commands to copy as they are', () => {
    const lines = ['\\connect circle', 'DROP FUNCTION "a|b`c";'];
    const remedy = { text: 'Drop it.', commands: [{ in: 'psql', lines }] } as const;
    const text = renderSummary(report({ findings: [{ ...finding, remedy }] }));
    expect(text).toContain(
      'Drop it.\n\nIn psql in the pod of the server, as the superuser:\n\n```\n\\connect circle\nDROP FUNCTION "a|b`c";\n```\n',
    );
  });

  test('has the commands of what is to run next in a block', () => {
    const next = shellRemedy('Choose a volume.', 'kubectl get pv', 'VOLUME=name');
    const status = { state: 'unfinished', evidence: ['seen'], safe: 'Wait.', next } as const;
    expect(renderSummary(report({ status }))).toContain(
      '**Next:** Choose a volume.\n\nIn a shell:\n\n```\nkubectl get pv\nVOLUME=name\n```\n',
    );
  });

  test('code with backticks stays one block', () => {
    const remedy = { text: 'Drop it.', commands: [{ in: 'psql', lines: ['DROP FUNCTION "```";'] }] } as const;
    const text = renderSummary(report({ findings: [{ ...finding, remedy }] }));
    expect(text).toContain('\n````\nDROP FUNCTION "```";\n````\n');
  });

  test('leads to what is written about the check', () => {
    const docs = 'https://github.example/admins/action/blob/v1/docs/checks.md#volume-users';
    const text = renderSummary(report({ findings: [{ ...finding, docs }] }));
    expect(text).toContain(`[\`volume-users\`](${docs})`);
  });

  test('says why something is ignored', () => {
    const text = renderSummary(report({ findings: [{ ...finding, ignored: 'it <only> reads' }] }));
    expect(text).toContain('| ✗ failed, ignored |');
    expect(text).toContain('is ignored: it &#60;only&#62; reads');
  });

  test('a table is not broken by what was seen', () => {
    const evidence = ['a | b', 'two\nlines', '<script>alert(1)</script>'];
    const row = renderSummary(report({ findings: [{ ...finding, evidence }] }))
      .split('\n')
      .find((line) => line.includes('volume-users'));
    expect(row).toContain('`a \\| b`<br>`two lines`<br>`<script>alert(1)</script>`');
    expect(row?.match(/(?<!\\)\|/g)).toHaveLength(4);
  });

  test('much evidence is cut, and the rest counted', () => {
    const evidence = Array.from({ length: 20 }, (_, index) => `pod ${String(index)}`);
    const text = renderSummary(report({ findings: [{ ...finding, evidence }] }));
    expect(text).toContain('pod 7');
    expect(text).not.toContain('pod 8');
    expect(text).toContain('… 12 more in the log');
  });

  test('stays below the size from which GitHub drops it', () => {
    const findings = Array.from({ length: 2000 }, () => ({
      ...finding,
      evidence: ['x'.repeat(1000), '\u20ac'.repeat(1000)],
    }));
    const text = renderSummary(report({ findings }));
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
    expect(text).toContain('cut here');
  });
});
