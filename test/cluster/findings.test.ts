// Checks about layout, storage, nodes, admission and release: each passes on a sound server, fails for what is provoked, and passes when that is gone.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, type ActionEnd } from './action.ts';
import { apply, bench, kubectl, namespace } from './bench.ts';
import { cases, className, removeClusterWide, storageClass } from './provocations.ts';

jest.setTimeout(10 * 60_000);

const asked = [...new Set(cases.map(({ check }) => check))];

beforeAll(async () => {
  apply(storageClass({}));
  bench('reset', '--namespace', namespace, '--no-writer', '--storage-class', className);
  // Nothing is restarted by a change of the template alone.
  const rolling = { op: 'replace', path: '/spec/updateStrategy', value: { type: 'OnDelete' } };
  const patch = `--patch=${JSON.stringify([rolling])}`;
  kubectl('-n', namespace, 'patch', 'statefulset/postgresql', '--type=json', patch);
  await expectAllPassed();
});

afterAll(removeClusterWide);

describe.each(cases)('$check sees $what', ({ check, status, provoke, takeBack, inputs = {}, evidence, remedy }) => {
  let end: ActionEnd;

  beforeAll(async () => {
    try {
      provoke();
      end = await runAction({ namespace, probes: 'none', ...inputs });
    } finally {
      takeBack();
    }
  });

  test('and says what to do', () => {
    const finding = end.report.findings.find((one) => one.check === check);
    expect(finding?.status).toBe(status);
    expect(finding?.evidence.join('\n')).toMatch(evidence);
    expect(finding?.remedy).toMatch(remedy);
  });
});

test('when all is taken back, all of it passes again', expectAllPassed);

async function expectAllPassed(): Promise<void> {
  const end = await runAction({ namespace, probes: 'none' });
  const found = end.report.findings.filter(({ check }) => asked.includes(check));
  expect(found.map(({ check, status }) => [check, status])).toEqual(found.map(({ check }) => [check, 'passed']));
  expect(found).toHaveLength(asked.length);
}
