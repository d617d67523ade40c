// The stage of a rehearsal that looks for damaged pages.
import { expect, test } from '@jest/globals';
import { blocks } from '../../../src/findings/finding.ts';
import { scene } from './scene.ts';

test.each([
  [
    { checked: 3, of: 3, damaged: [['public.builds', 'block 7: invalid line pointer']] },
    'failed',
    'circle: public.builds: block 7',
  ],
  [{ checked: 1, of: 3, damaged: [] }, 'warning', 'amcheck looked at 3 of 9 heap tables and btree indexes'],
  [{ checked: 3, of: 3, damaged: [] }, 'passed', 'It can not look at 6 others'],
  [{ checked: 0, of: 3, damaged: [] }, 'unknown', 'amcheck looked at 0 of 9'],
  [{ checked: 0, of: 3, damaged: [], lacks: true }, 'warning', 'The image of PostgreSQL 14 has no amcheck'],
] as const)('the stage about pages answers by what amcheck saw: %j', async (looked, status, line) => {
  const setting = await scene();
  const damaged = looked.damaged.map(([relation, words]): [string, string] => [relation, words]);
  setting.state.looked = { ...looked, others: 2, damaged };
  const pages = (await setting.run()).find(({ id }) => id === 'rehearsal-pages');
  expect(pages).toMatchObject({ status, evidence: expect.arrayContaining([expect.stringContaining(line)]) });
});

test('it looks for as long as `amcheck-budget` says, and not at all where that says not to look', async () => {
  const setting = await scene();
  const asked: string[] = [];
  const answer = setting.cluster.onExec;
  setting.cluster.onExec = (command, stdin) => {
    if (stdin.includes('verify_heapam')) asked.push(stdin);
    return answer(command, stdin);
  };
  await setting.run(undefined, { 'amcheck-budget': '90s' });
  expect(asked.map((sql) => sql.includes("interval '90000 ms'"))).toEqual([true]);
  const findings = await setting.run(undefined, { 'amcheck-budget': '0s' });
  expect(asked).toHaveLength(1);
  const pages = findings.find(({ id }) => id === 'rehearsal-pages');
  expect(pages).toMatchObject({ status: 'unknown', evidence: ['Nobody looked at the pages'] });
  // Never taken for passed, and no failure.
  expect(findings.filter((finding) => blocks(finding, 'warning'))).toEqual([]);
  expect(findings.filter(({ status }) => status !== 'passed')).toEqual([pages]);
});
