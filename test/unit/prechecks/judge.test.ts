import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import type { FactSeconds } from '../../../src/prechecks/facts/stopwatch.ts';
import type { Status } from '../../../src/findings/finding.ts';
import { judge, verdictOf } from '../../../src/prechecks/judge.ts';
import { FakeLog } from '../fake-runner.ts';
import { inputs } from '../objects.ts';
import { facts, known, unread } from './facts.ts';

const page = 'https://github.example/admins/action/blob/v1/docs/checks.md';

describe('judging the facts', () => {
  test('answers every check, in a group of its own, with its status in the title', async () => {
    const log = new FakeLog();
    const { findings } = await judge(await facts(), {}, page, log);
    expect(findings.map((f) => f.check)).toEqual(catalogue.map((c) => c.id));
    expect(log.groups).toEqual(catalogue.map((c) => `✓ ${c.title} (${c.id}: passed, 0.0 s)`));
    for (const finding of findings) {
      expect(finding.docs).toBe(`${page}#${finding.check}`);
      for (const line of finding.evidence) expect(log.lines).toContain(line);
    }
  });

  test('goes on after a check that blocks the upgrade: people see all of it at once', async () => {
    const nothing = await facts({ missingPermissions: unread('forbidden'), server: unread('forbidden') });
    expect((await judge(nothing, {}, page, new FakeLog())).findings).toHaveLength(catalogue.length);
  });

  test('shows what is wrong in its group, with all of the evidence and what to do', async () => {
    const log = new FakeLog();
    await judge(await facts({ otherVolumeUsers: known(['a1', 'b2', 'c3', 'd4']) }), {}, page, log);
    expect(log.groups).toContain('✗ Other pods on the volume (volume-users: failed, 0.0 s)');
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
    const finding = (await judge(given, {}, page, log)).findings.find((f) => f.check === 'volume-users');
    expect(finding).toMatchObject({ status: 'failed', ignored: 'the debug pod only reads' });
    expect(log.groups).toContain('✗ Other pods on the volume (volume-users: failed, ignored, 0.0 s)');
    expect(log.lines).toContain('Ignored: the debug pod only reads');
    // It passed: nobody has to go on ignoring it.
    expect(log.lines).toContain('ignore-checks names free-space, which has nothing to be ignored any more');
  });

  test('evidence that nobody could read is cut, and says so', async () => {
    const pods = Array.from({ length: 5000 }, (_, index) => `pod-${String(index)}-${'x'.repeat(5000)}`);
    const { findings } = await judge(await facts({ otherVolumeUsers: known(pods) }), {}, page, new FakeLog());
    const finding = findings.find((f) => f.check === 'volume-users');
    expect(finding?.evidence.join('').length).toBeLessThan(101_000);
    expect(finding?.evidence.at(-1)).toBe(`… and ${String(5001 - (finding?.evidence.length ?? 0))} more lines`);
    expect(finding?.evidence[0]?.length).toBeLessThan(2100);
    expect(finding?.evidence[0]).toMatch(/… \(\d+ more characters\)$/);
  });

  test('commands for which there is no room are left out whole, and it says so', async () => {
    const rows = Array.from({ length: 1000 }, (_, index) => {
      const object = `schema s${String(index)}`;
      return { object, detail: 'd', remedy: `DROP SCHEMA s${String(index)}\nCASCADE;` };
    });
    const answers = known({ 'unlogged-tables': known({ total: rows.length, rows }) });
    const neighbours = Array.from({ length: 1000 }, (_, index) => ({
      ...{ kind: 'Deployment', name: `exporter-${String(index)}`, isApplication: false, addresses: [], nodes: [] },
      uses: ['Secret postgresql'],
    }));
    const given = await facts({
      hazards: known({ server: known({}), databases: { circle: answers } }),
      neighbours: known(neighbours),
    });
    const { findings } = await judge(given, {}, page, new FakeLog());
    const remedyOf = (check: string) => findings.find((finding) => finding.check === check)?.remedy;
    const [psql = []] = (remedyOf('unlogged-tables')?.commands ?? []).map(({ lines }) => lines);
    expect(psql.join('\n').length).toBeLessThan(20_000);
    expect(psql.length).toBeGreaterThan(500);
    expect(psql.at(-1)).toBe('CASCADE;');
    expect(remedyOf('unlogged-tables')?.text).toMatch(
      new RegExp(` … \\(${String(2002 - psql.length)} more lines of commands\\)$`),
    );
    // Half of what goes to a shell could do something else than all of it.
    expect(remedyOf('foreign-workloads')?.commands).toBeUndefined();
    expect(remedyOf('foreign-workloads')?.text).toMatch(/ … \(1000 more lines of commands\)$/);
  });

  test('the same facts give the same bytes, however long they took to be read', async () => {
    const given = { otherVolumeUsers: known(['debug']), server: unread('forbidden') };
    const once = async (seconds: FactSeconds) => await judge(await facts(given), seconds, page, new FakeLog());
    const [fast, slow] = [await once({ server: 0.1, files: 0.2 }), await once({ server: 3, files: 60 })];
    expect(JSON.stringify(slow.findings)).toBe(JSON.stringify(fast.findings));
    expect(slow.seconds).not.toEqual(fast.seconds);
  });

  test('a check takes as long as the slowest of the facts that it looks at, and each is measured', async () => {
    const log = new FakeLog();
    const read = { files: 0.24, server: 12.34, databases: 3, restoreTest: 99 };
    const { findings, seconds } = await judge(await facts(), read, page, log);
    expect(Object.keys(seconds)).toEqual(findings.map(({ check }) => check));
    expect(seconds).toMatchObject({
      'fs-group': 0.2,
      'server-version': 12.3,
      'free-space': 3,
      'encoding-and-locale': 3,
      'restore-test': 99,
    });
    // What was found with the server itself takes no time of its own.
    expect(seconds).toMatchObject({ statefulset: 0, operator: 0 });
    expect(log.groups).toContain('✓ Free space on the volume (free-space: passed, 3.0 s)');
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
    const findings = statuses.map((status) => ({ check: 'x', title: 'X', docs: '', status, evidence: [] }));
    expect(verdictOf(findings)).toBe(expected);
  });

  test('of a failure that is ignored is a warning', () => {
    const failure = { check: 'x', title: 'X', docs: '', status: 'failed' as const, evidence: [], ignored: 'we know' };
    expect(verdictOf([failure])).toBe('warning');
  });
});
