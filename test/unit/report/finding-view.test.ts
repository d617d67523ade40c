import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../src/findings/finding.ts';
import { bodyFor, commentFor } from '../../../src/issue/text.ts';
import { judge } from '../../../src/prechecks/judge.ts';
import { annotateFindings } from '../../../src/report/annotate-findings.ts';
import { groupView, openGroups } from '../../../src/report/finding-groups.ts';
import { viewOf } from '../../../src/report/finding-view.ts';
import { logFindings } from '../../../src/report/log-findings.ts';
import { renderSummary } from '../../../src/report/summary.ts';
import { shellRemedy } from '../../../src/text/remedy.ts';
import { FakeLog } from '../fake-runner.ts';
import { settings } from '../issue/scene.ts';
import { facts, known } from '../prechecks/facts.ts';
import { report } from './reports.ts';

const remedy = shellRemedy('Stop them.', 'kubectl scale deployment other --replicas=0', 'kubectl get pods');

function finding(more: Partial<Finding> = {}): Finding {
  const about = { check: 'volume-users', title: 'Other pods on the volume', status: 'failed', docs: 'd' } as const;
  const evidence = Array.from({ length: 12 }, (_, index) => `pod ${String(index)} ${'x'.repeat(1000)}`);
  return { ...about, evidence, remedy, ...more };
}

describe('the view of a finding', () => {
  test.each([
    ['log', 12, 1001, 0],
    ['whole', 12, Infinity, 0],
    ['page', 8, 601, 4],
    ['annotation', 3, Infinity, 9],
    ['comment', 1, 201, 11],
  ] as const)('for a place such as the %s has %i lines of evidence', (place, lines, longest, more) => {
    const view = viewOf(finding(), place);
    expect(view).toMatchObject({ mark: '✗', check: 'volume-users', title: 'Other pods on the volume', more });
    expect(view.evidence).toHaveLength(lines);
    expect(Math.max(...view.evidence.map((line) => line.length))).toBeLessThanOrEqual(longest);
  });

  test('for an annotation has whole commands or none, and says where they are', () => {
    expect(viewOf(finding(), 'annotation').remedy).toEqual(remedy);
    const long = shellRemedy(
      'Stop them.',
      ...Array.from({ length: 200 }, (_, i) => `kubectl delete pod p${String(i)}`),
    );
    expect(viewOf(finding({ remedy: long }), 'annotation').remedy).toEqual({
      text: 'Stop them. … (200 more lines of commands, in the log)',
    });
    expect(viewOf(finding({ remedy: long }), 'page').remedy).toEqual(long);
  });

  test('of what is ignored has the reason in the place of the remedy, but for the log, which has all', () => {
    const ignored = finding({ ignored: 'it only reads' });
    for (const place of ['page', 'annotation', 'comment'] as const)
      expect(viewOf(ignored, place)).toMatchObject({
        state: 'failed, ignored',
        ignored: 'it only reads',
        remedy: undefined,
      });
    expect(viewOf(ignored, 'log')).toMatchObject({ ignored: 'it only reads', remedy });
  });

  test('is the same in log, annotations, summary and issue', async () => {
    const log = new FakeLog();
    const { findings } = judge(await facts({ otherVolumeUsers: known(['debug']) }), {}, 'https://d/c.md', log);
    const [group] = openGroups(findings);
    if (group === undefined) throw new Error('nothing was found');
    const one = group.head;
    const { mark, title, check = '', state, evidence } = groupView(group, 'page');
    await logFindings(findings, {}, 'a cluster', log);
    annotateFindings(findings, { failOn: 'failed', mode: 'precheck', dryRun: false }, log);
    const asked = settings(findings);
    const change = { change: 1, red: { [check]: state } };
    const page = [renderSummary(report({ findings })), bodyFor(asked, undefined, 1) ?? ''];
    expect(log.lines).toContain(`${mark} ${title} (${check}: ${state}, 0.0 s)`);
    expect(log.annotations).toHaveLength(1);
    expect(log.annotations[0]?.title).toBe(`${check}: ${state}`);
    expect(log.annotations[0]?.message).toContain(`${title}. Seen: ${evidence.join('; ')}. ${one.remedy?.text ?? ''}`);
    for (const text of page) {
      expect(text).toContain(
        `| ${mark} ${state} | ${title} [\`${check}\`](https://d/c.md#${check}) | \`${evidence.join()}\` |`,
      );
      expect(text).toContain(`**${title}** (\`${check}\`): ${one.remedy?.text ?? ''}`);
    }
    expect(commentFor(asked, {}, change)).toContain(`**${title}** (\`${check}\`): ${state}; \`${evidence.join()}\``);
  });
});
