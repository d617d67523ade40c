import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../src/findings/finding.ts';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import { annotateFindings } from '../../../src/report/annotate-findings.ts';
import { FakeLog } from '../fake-runner.ts';

function finding(more: Partial<Finding> = {}): Finding {
  const about = { check: 'volume-users', title: 'Other pods on the volume', docs: '', status: 'failed' as const };
  return { ...about, evidence: ['pod a', 'pod b', 'pod c', 'pod d'], remedy: { text: 'Stop them.' }, ...more };
}

function annotated(
  findings: readonly Finding[],
  failOn: 'failed' | 'warning' = 'failed',
  mode: 'precheck' | 'upgrade' = 'precheck',
) {
  const log = new FakeLog();
  annotateFindings(findings, { failOn, mode, dryRun: false }, log);
  return log;
}

describe('annotations', () => {
  test.each([
    ['failed', 'failed', 'error'],
    ['unknown', 'failed', 'error'],
    ['warning', 'failed', 'warning'],
    ['warning', 'warning', 'error'],
  ] as const)('of what is %s, with fail-on %s, are of level %s', (status, failOn, level) => {
    expect(annotated([finding({ status })], failOn).annotations).toEqual([
      {
        level,
        title: `volume-users: ${status}`,
        message: `Other pods on the volume. ${status === 'unknown' ? 'Not known' : 'Seen'}: pod a; pod b; pod c; … and 1 more, in the log. Stop them.`,
      },
    ]);
  });

  test('are not made of what passed', () => {
    expect(annotated([finding({ status: 'passed' })]).annotations).toEqual([]);
  });

  test('of what is ignored are notices with the reason', () => {
    expect(annotated([finding({ ignored: 'it only reads' })]).annotations).toEqual([
      {
        level: 'notice',
        title: 'volume-users: failed, ignored',
        message:
          'Other pods on the volume. Seen: pod a; pod b; pod c; … and 1 more, in the log. Ignored: it only reads',
      },
    ]);
  });

  test('have room for a part of a long remedy only', () => {
    const [annotation] = annotated([finding({ remedy: { text: 'DROP '.repeat(2000) } })]).annotations;
    expect(annotation?.message).toMatch(/… \(9000 more characters, in the log\)$/);
    expect(annotation?.message.length).toBeLessThan(1200);
  });

  test('say where in a file it is', () => {
    const place = { file: 'environments/values.yaml', line: 7 };
    expect(annotated([finding({ place })]).annotations).toEqual([expect.objectContaining({ place })]);
  });

  test.each([
    ['precheck', 10],
    ['upgrade', 9],
  ] as const)('of warnings are as many as a %s has room for', (mode, count) => {
    const findings = catalogue.slice(0, 12).map(({ id: check }) => finding({ check, status: 'warning' }));
    const log = annotated(findings, 'failed', mode);
    expect(log.annotations).toHaveLength(count);
    expect(log.lines).toEqual([expect.stringContaining(`${String(12 - count)} more without an annotation (warning;`)]);
  });

  test('are the worst nine of a level, so that the run has the tenth; the rest is one line', () => {
    const ids = catalogue.map(({ id }) => id);
    const findings = ids.slice(0, 40).map((check, index) => {
      const status = index % 4 === 0 ? ('failed' as const) : ('unknown' as const);
      return finding({ check, status });
    });
    const log = annotated(findings);
    expect(log.annotations.map(({ level }) => level)).toEqual(Array.from({ length: 9 }, () => 'error'));
    expect(log.annotations.every(({ title }) => title.endsWith(': failed'))).toBe(true);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatch(/^31 more without an annotation \(error; GitHub shows ten\): /);
    const all = [...log.annotations.map(({ title }) => title.split(':')[0]), ...(log.lines[0] ?? '').split(/[ ,]+/)];
    for (const id of ids.slice(0, 40)) expect(all).toContain(id);
  });
});
