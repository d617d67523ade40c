/** @jest-environment ./test/cluster/bench-environment.ts */
// Checks about layout, storage, nodes, admission and release: each passes on a sound server, fails for what is provoked, and passes when that is gone.
// What does not get into the way of one another is provoked at once.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { remedyText } from '../../src/text/remedy.ts';
import { runAction, type ActionEnd } from './action.ts';
import { apply, bench, kubectl, namespace } from './bench.ts';
import { batches, cases, className, removeClusterWide, storageClass } from './provocations.ts';

jest.setTimeout(10 * 60_000);

const asked = [...new Set(cases.map(({ check }) => check))];

beforeAll(async () => {
  apply(storageClass({}));
  bench(
    'reset',
    '--namespace',
    namespace,
    '--no-writer',
    '--size-mb',
    '20',
    '--tables',
    '40',
    '--storage-class',
    className,
  );
  // Nothing is restarted by a change of the template alone.
  const rolling = { op: 'replace', path: '/spec/updateStrategy', value: { type: 'OnDelete' } };
  const patch = `--patch=${JSON.stringify([rolling])}`;
  kubectl('-n', namespace, 'patch', 'statefulset/postgresql', '--type=json', patch);
  await expectAllPassed();
});

afterAll(removeClusterWide);

describe.each(batches)('with %s', (_what, together) => {
  let end: ActionEnd;

  beforeAll(async () => {
    const provoked: typeof together = [];
    try {
      for (const one of together) {
        provoked.push(one);
        one.provoke();
      }
      const inputs = Object.assign({}, ...together.map((one) => one.inputs ?? {})) as Record<string, string>;
      end = await runAction({ namespace, probes: 'none', ...inputs });
    } finally {
      for (const { takeBack } of provoked.toReversed()) takeBack();
    }
  });

  test.each(together)('$check sees $what, and says what to do', ({ check, status, evidence, remedy }) => {
    const finding = end.report.findings.find((one) => one.check === check);
    expect(finding?.status).toBe(status);
    expect(finding?.evidence.join('\n')).toMatch(evidence);
    expect(remedyText(finding?.remedy ?? { text: '' })).toMatch(remedy);
  });
});

test('when all is taken back, all of it passes again', expectAllPassed);

async function expectAllPassed(): Promise<void> {
  const end = await runAction({ namespace, probes: 'none' });
  const found = end.report.findings.filter(({ check }) => asked.includes(check));
  expect(found.map(({ check, status }) => [check, status])).toEqual(found.map(({ check }) => [check, 'passed']));
  expect(found).toHaveLength(asked.length);
}
