import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import type { Status } from '../../../src/prechecks/finding.ts';
import { judge, verdictOf } from '../../../src/prechecks/judge.ts';
import { FakeLog } from '../fake-runner.ts';
import { inputs } from '../objects.ts';
import { facts, known, unread } from './facts.ts';

const page = 'https://github.example/admins/action/blob/v1/docs/checks.md';

describe('judging the facts', () => {
  test('answers every check, in a group of its own, with its status in the title', async () => {
    const log = new FakeLog();
    const findings = await judge(await facts(), page, log);
    expect(findings.map((f) => f.check)).toEqual(catalogue.map((c) => c.id));
    expect(log.groups).toEqual(catalogue.map((c) => `✓ ${c.title} (${c.id}: passed)`));
    for (const finding of findings) {
      expect(finding.docs).toBe(`${page}#${finding.check}`);
      for (const line of finding.evidence) expect(log.lines).toContain(line);
    }
  });

  test('goes on after a check that stands against the upgrade: people see all of it at once', async () => {
    const nothing = await facts({ missingPermissions: unread('forbidden'), server: unread('forbidden') });
    expect(await judge(nothing, page, new FakeLog())).toHaveLength(catalogue.length);
  });

  test('shows what is wrong in its group, with all of the evidence and what to do', async () => {
    const log = new FakeLog();
    await judge(await facts({ otherVolumeUsers: known(['a1', 'b2', 'c3', 'd4']) }), page, log);
    expect(log.groups).toContain('✗ No other pod uses the volume (volume-users: failed)');
    expect(log.text).toContain('pod d4 mounts');
    expect(log.text).toContain('What to do: ');
    expect(log.lines).toContain(`More about it: ${page}#volume-users`);
  });

  test('what is ignored is asked and shown all the same, with the reason', async () => {
    const log = new FakeLog();
    const ignoreChecks = 'volume-users: the debug pod only reads\nfree-space: we measured';
    const given = await facts({
      inputs: inputs({ 'ignore-checks': ignoreChecks }),
      otherVolumeUsers: known(['debug']),
    });
    const finding = (await judge(given, page, log)).find((f) => f.check === 'volume-users');
    expect(finding).toMatchObject({ status: 'failed', ignored: 'the debug pod only reads' });
    expect(log.groups).toContain('✗ No other pod uses the volume (volume-users: failed, ignored)');
    expect(log.lines).toContain('Ignored: the debug pod only reads');
    // It passed: nobody has to go on ignoring it.
    expect(log.lines).toContain('ignore-checks names free-space, which has nothing to be ignored any more');
  });

  test('evidence that nobody could read is cut, and says so', async () => {
    const pods = Array.from({ length: 5000 }, (_, index) => `pod-${String(index)}-${'x'.repeat(5000)}`);
    const findings = await judge(await facts({ otherVolumeUsers: known(pods) }), page, new FakeLog());
    const finding = findings.find((f) => f.check === 'volume-users');
    expect(finding?.evidence.join('').length).toBeLessThan(101_000);
    expect(finding?.evidence.at(-1)).toBe(`… and ${String(5001 - (finding?.evidence.length ?? 0))} more lines`);
    expect(finding?.evidence[0]?.length).toBeLessThan(2100);
    expect(finding?.evidence[0]).toMatch(/… \(\d+ more characters\)$/);
  });

  test('the same facts give the same bytes', async () => {
    const given = { otherVolumeUsers: known(['debug']), server: unread('forbidden') };
    const once = async () => JSON.stringify(await judge(await facts(given), page, new FakeLog()));
    expect(await once()).toBe(await once());
  });
});

describe('the verdict', () => {
  test.each<[Status[], Status]>([
    [[], 'passed'],
    [['passed', 'passed'], 'passed'],
    [['passed', 'warning'], 'warning'],
    [['warning', 'unknown', 'passed'], 'unknown'],
    [['unknown', 'failed', 'warning'], 'failed'],
  ])('of %j is %s', (statuses, expected) => {
    const findings = statuses.map((status) => ({ check: 'x', docs: '', status, evidence: [] }));
    expect(verdictOf(findings)).toBe(expected);
  });

  test('of a failure that is ignored is a warning', () => {
    const failure = { check: 'x', docs: '', status: 'failed' as const, evidence: [], ignored: 'we know' };
    expect(verdictOf([failure])).toBe('warning');
  });
});
