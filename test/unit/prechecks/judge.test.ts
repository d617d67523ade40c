import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import type { Status } from '../../../src/prechecks/finding.ts';
import { judge, verdictOf } from '../../../src/prechecks/judge.ts';
import { FakeLog } from '../fake-runner.ts';
import { facts, files, known, unread } from './facts.ts';

describe('judging the facts', () => {
  test('answers every check, in a group of its own, with its status in the title', async () => {
    const log = new FakeLog();
    const findings = await judge(await facts(), log);
    expect(findings.map((f) => f.check)).toEqual(catalogue.map((c) => c.id));
    expect(log.groups).toEqual(catalogue.map((c) => `✓ ${c.title} (${c.id}: passed)`));
    expect(log.annotations).toEqual([]);
    for (const finding of findings) {
      expect(finding.docs).toBe(`docs/checks.md#${finding.check}`);
      for (const line of finding.evidence) expect(log.lines).toContain(line);
    }
  });

  test('goes on after a check that stands against the upgrade: people see all of it at once', async () => {
    const nothing = await facts({ missingPermissions: unread('forbidden'), server: unread('forbidden') });
    expect(await judge(nothing, new FakeLog())).toHaveLength(catalogue.length);
  });

  test.each<[string, Status, string, object]>([
    ['failed', 'failed', 'error', { otherVolumeUsers: known(['debug']) }],
    ['unknown', 'unknown', 'error', { otherVolumeUsers: unread('pods is forbidden') }],
  ])('annotates what is %s', async (_what, status, level, more) => {
    const log = new FakeLog();
    await judge(await facts(more), log);
    expect(log.annotations).toHaveLength(1);
    expect(log.annotations[0]).toMatchObject({ level, title: `volume-users: ${status}` });
    expect(log.annotations[0]?.message).toContain('No other pod uses the volume');
    expect(log.groups.some((group) => group.includes(`(volume-users: ${status})`))).toBe(true);
    expect(log.text).toContain('What to do: ');
  });

  test('a warning is annotated as one, with what to do', async () => {
    const log = new FakeLog();
    await judge(await facts({ files: known({ ...files, freeBytes: 200 * 1024 ** 2 }) }), log);
    expect(log.annotations).toHaveLength(1);
    expect(log.annotations[0]).toMatchObject({ level: 'warning', title: 'free-space: warning' });
    expect(log.annotations[0]?.message).toContain('200 MiB free');
    expect(log.annotations[0]?.message).toContain('Enlarge');
  });

  test('an annotation has the first lines only, the group has all of them', async () => {
    const log = new FakeLog();
    await judge(await facts({ otherVolumeUsers: known(['a1', 'b2', 'c3', 'd4']) }), log);
    expect(log.annotations[0]?.message).toContain('c3');
    expect(log.annotations[0]?.message).not.toContain('d4');
    expect(log.text).toContain('pod d4 mounts');
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
});
