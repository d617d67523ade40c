import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import type { FactSeconds } from '../../../src/prechecks/facts/stopwatch.ts';
import type { Status } from '../../../src/findings/finding.ts';
import { judge, verdictOf } from '../../../src/prechecks/judge.ts';
import { FakeLog } from '../fake-runner.ts';
import { permissions } from '../../../src/permissions/permissions.ts';
import { inputs, target } from '../objects.ts';
import { facts, known, unread } from './facts.ts';

const page = 'https://github.example/admins/action/blob/v1/docs/checks.md';

describe('judging the facts', () => {
  test('answers every check', async () => {
    const { findings } = judge(await facts(), {}, page, new FakeLog());
    expect(findings.map((f) => f.check)).toEqual(catalogue.map((c) => c.id));
    for (const finding of findings) expect(finding.docs).toBe(`${page}#${finding.check}`);
  });

  test('goes on after a check that blocks the upgrade: people see all of it at once', async () => {
    const nothing = await facts({ missingPermissions: unread('forbidden'), server: unread('forbidden') });
    expect(judge(nothing, {}, page, new FakeLog()).findings).toHaveLength(catalogue.length);
  });

  test('what is ignored is asked all the same, and has the reason', async () => {
    const log = new FakeLog();
    const ignoreChecks = 'volume-users: the debug pod only reads\nfree-space: we measured';
    const given = await facts({
      inputs: inputs({ 'ignore-checks': ignoreChecks }),
      otherVolumeUsers: known(['debug']),
    });
    const finding = judge(given, {}, page, log).findings.find((f) => f.check === 'volume-users');
    expect(finding).toMatchObject({ status: 'failed', ignored: 'the debug pod only reads' });
    // It passed: nobody has to go on ignoring it.
    expect(log.lines).toContain('ignore-checks names free-space, which has nothing to be ignored any more');
  });

  test('evidence too long to read is cut, and says so', async () => {
    const pods = Array.from({ length: 5000 }, (_, index) => `pod-${String(index)}-${'x'.repeat(5000)}`);
    const { findings } = judge(await facts({ otherVolumeUsers: known(pods) }), {}, page, new FakeLog());
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
    const plain = await target();
    const [first] = plain.applications;
    if (first === undefined) throw new Error('no application');
    const applications = Array.from({ length: 1000 }, (_, index) => ({
      ...first,
      name: `application-${String(index)}`,
    }));
    const given = await facts({
      hazards: known({ server: known({}), databases: { circle: answers } }),
      ...{ target: { ...plain, applications }, inputs: inputs({ mode: 'upgrade' }) },
      missingPermissions: known(
        permissions.filter(({ verb, resource }) => verb === 'patch' && resource === 'deployments'),
      ),
    });
    const { findings } = judge(given, {}, page, new FakeLog());
    const remedyOf = (check: string) => findings.find((finding) => finding.check === check)?.remedy;
    const [psql = []] = (remedyOf('unlogged-tables')?.commands ?? []).map(({ lines }) => lines);
    expect(psql.join('\n').length).toBeLessThan(20_000);
    expect(psql.length).toBeGreaterThan(500);
    expect(psql.at(-1)).toBe('CASCADE;');
    expect(remedyOf('unlogged-tables')?.text).toMatch(
      new RegExp(` … \\(${String(2002 - psql.length)} more lines of commands\\)$`),
    );
    // Half of what goes to a shell could do something else than all of it.
    expect(remedyOf('permissions')?.commands).toBeUndefined();
    expect(remedyOf('permissions')?.text).toMatch(/ … \(\d+ more lines of commands\)$/);
  });

  test('the same facts give the same bytes, however long they took to be read', async () => {
    const given = { otherVolumeUsers: known(['debug']), server: unread('forbidden') };
    const once = async (seconds: FactSeconds) => judge(await facts(given), seconds, page, new FakeLog());
    const [fast, slow] = [await once({ server: 0.1, files: 0.2 }), await once({ server: 3, files: 60 })];
    expect(JSON.stringify(slow.findings)).toBe(JSON.stringify(fast.findings));
    expect(slow.seconds).not.toEqual(fast.seconds);
  });

  test('a check takes as long as the slowest of the facts that it looks at, and each is measured', async () => {
    const read = { files: 0.24, server: 12.34, databases: 3, restoreTest: 99 };
    const { findings, seconds } = judge(await facts(), read, page, new FakeLog());
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
