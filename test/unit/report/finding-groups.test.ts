import { describe, expect, test } from '@jest/globals';
import type { Cause, Finding, Status } from '../../../src/findings/finding.ts';
import { bodyFor, commentFor } from '../../../src/issue/text.ts';
import { annotateFindings } from '../../../src/report/annotate-findings.ts';
import { blockingText, openGroups } from '../../../src/report/finding-groups.ts';
import { findingLines } from '../../../src/report/finding-lines.ts';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import { Redactor } from '../../../src/redaction/redactor.ts';
import { vocabulary } from '../../../src/vocabulary.ts';
import { FakeLog } from '../fake-runner.ts';
import { finding, settings } from '../issue/scene.ts';

const reason = 'psql: FATAL: too many clients';
const waiting = (check: string, cause: Cause) => finding(check, 'unknown', { cause, evidence: [`circle: ${reason}`] });
const ids = ['orphaned-objects', 'invalid-indexes', 'large-objects'] as const;
const forReason = ids.map((check) => waiting(check, { reason }));
const superuser = { reason: 'first do what the check bootstrap-superuser says', check: 'bootstrap-superuser' };
const cause = finding('bootstrap-superuser');
const forCause = [cause, ...ids.map((check) => waiting(check, superuser))];
const idsOf = (findings: readonly Finding[]) =>
  openGroups(findings).map(({ head, rest }) => [head.check, ...rest.map(({ check }) => check)]);

function annotated(findings: readonly Finding[]) {
  const log = new FakeLog();
  annotateFindings(findings, { failOn: 'failed', mode: 'precheck', dryRun: false }, log);
  return log.annotations;
}

describe('what did not pass', () => {
  test('is shown with each cause once, the worst first', () => {
    const [a, b, c] = [finding('majors', 'warning'), finding('images', 'unknown'), finding('clients', 'passed')];
    expect(idsOf([a, b, c, ...forCause])).toEqual([['bootstrap-superuser', ...ids], ['images'], ['majors']]);
    expect(idsOf([a, ...forReason])).toEqual([[...ids], ['majors']]);
    // What waits for a check that only warns blocks all the same.
    const warns = [{ ...cause, status: 'warning' as Status }, ...forCause.slice(1)];
    expect(idsOf([a, ...warns])).toEqual([['bootstrap-superuser', ...ids], ['majors']]);
    expect(annotated(warns).map(({ level }) => level)).toEqual(['error']);
  });

  test('stands alone where its cause is not among them', () => {
    expect(idsOf(forCause.slice(1, 2))).toEqual([['orphaned-objects']]);
    const passed = [{ ...cause, status: 'passed' as Status }, ...forCause.slice(1)];
    expect(idsOf(passed)).toEqual([[...ids]]);
  });

  test('has an annotation for the check that found the cause, with those that wait for it', () => {
    const [annotation, ...others] = annotated(forCause);
    expect(others).toEqual([]);
    expect(annotation?.title).toBe('bootstrap-superuser: failed');
    expect(annotation?.message).toContain(
      'Seen: bootstrap-superuser was seen. Because of it, 3 checks have no answer: orphaned-objects, invalid-indexes, large-objects. See to bootstrap-superuser.',
    );
  });

  test('has an annotation for a reason that no check has found', () => {
    const [annotation, ...others] = annotated(forReason);
    expect(others).toEqual([]);
    expect(annotation?.title).toBe('3 checks without an answer: unknown');
    expect(annotation?.message).toContain(
      `3 checks without an answer. Not known: ${reason}. The checks: orphaned-objects, invalid-indexes, large-objects.`,
    );
  });

  test('has a row in summary and issue for each cause, with the ids of those that wait', () => {
    const codes = ids.map((id) => `\`${id}\``).join(', ');
    const rows = (findings: readonly Finding[]) => findingLines(findings).filter((line) => /^\| [✗?!] /.test(line));
    expect(rows(forCause)).toEqual([
      `| ✗ failed | ${cause.title} \`bootstrap-superuser\` | \`bootstrap-superuser was seen\`<br>Because of it, 3 checks have no answer: ${codes} |`,
    ]);
    expect(rows(forReason)).toEqual([
      `| ? unknown | 3 checks without an answer | \`${reason}\`<br>The checks: ${codes} |`,
    ]);
    const body = bodyFor(settings(forCause), undefined, 1) ?? '';
    expect(body).toContain('**✗ 4 checks of 5 block the upgrade**');
    expect(body).toContain(`Because of it, 3 checks have no answer: ${codes}`);
    expect(body.match(/\*\*What to do|See to /g)).toHaveLength(1);
  });

  test('has one line in a comment for each cause', () => {
    const red = Object.fromEntries(forCause.map(({ check, status }) => [check, status]));
    const comment = commentFor(settings(forCause), {}, { change: 1, red });
    const lines = comment.split('\n').filter((line) => line.startsWith('- '));
    expect(lines).toEqual([
      expect.stringContaining(
        '(`bootstrap-superuser`): failed; `bootstrap-superuser was seen`. Because of it, 3 checks',
      ),
    ]);
    // Where only what waits is new, the reason is told.
    const later = commentFor(settings(forCause), { 'bootstrap-superuser': 'failed' }, { change: 2, red });
    expect(later).toContain(
      '- **3 checks without an answer**: unknown; `first do what the check bootstrap-superuser says`.',
    );
  });

  test('is named in an error: what to begin with, then a handful at most, each by its cause', () => {
    const passes = finding('clients', 'passed');
    const warns = finding('majors', 'warning');
    expect(blockingText([passes, warns, ...forCause], 'failed')).toBe(
      `To unblock the upgrade, begin with "${cause.title}", bootstrap-superuser (failed; 3 others wait for it). In all, 4 of 6 checks block it.`,
    );
    expect(blockingText([warns, ...forCause.slice(0, 2)], 'warning')).toBe(
      `To unblock the upgrade, begin with "${cause.title}", bootstrap-superuser (failed; 1 other waits for it). Then: majors (warning). In all, 3 of 3 checks block it.`,
    );
    expect(blockingText([passes, cause], 'failed')).toMatch(/\(failed\)\. In all, 1 of 2 checks blocks it\.$/);
    expect(blockingText(forReason, 'failed')).toBe(
      `To unblock the upgrade, begin with 3 checks without an answer (${reason}). In all, 3 of 3 checks block it.`,
    );
    const many = Array.from({ length: 7 }, (_, index) => finding(`check-${String(index)}`));
    expect(blockingText(many, 'failed')).toMatch(
      /, check-0 \(failed\)\. Then: check-1 \(failed\), .*check-4 \(failed\) and 2 more\. In all, 7 of 7 checks block it\.$/,
    );
  });

  test.each(catalogue.map(({ id }) => id))('is named in an error as it is where secrets are taken out: %s', (check) => {
    const text = blockingText([finding(check)], 'failed');
    expect(new Redactor(vocabulary).redact(text)).toBe(text);
  });
});
