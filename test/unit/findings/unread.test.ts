import { describe, expect, test } from '@jest/globals';
import { ClusterError } from '../../../src/common/errors.ts';
import { known } from '../../../src/common/known.ts';
import { judgeFact, passed, remedyOfUnread } from '../../../src/findings/finding.ts';
import { hazards } from '../../../src/hazards/table.ts';
import { judgeHazard } from '../../../src/hazards/judge-hazard.ts';

const failing = () => known(() => Promise.reject(new ClusterError('unreachable', 'No answer.', 'Look at the network')));

describe('a fact that could not be read', () => {
  test('has what its error says to do, and so has the check that needs it', async () => {
    const fact = await failing();
    const remedy = { text: 'Look at the network. Then run the checks again.' };
    expect(judgeFact(fact, () => passed('read'))).toEqual({ status: 'unknown', evidence: ['No answer.'], remedy });
    const hazard = hazards.find(({ database }) => database !== undefined);
    if (hazard === undefined) throw new Error('there is no hazard of a database');
    const facts = { server: fact, databases: { circle: fact } };
    expect(judgeHazard(hazard, facts)).toMatchObject({ status: 'unknown', remedy });
  });

  test('whose error says to run again is not told twice to do so', () => {
    const remedy = { text: 'Wait, then run the checks again.', commands: [{ in: 'shell' as const, lines: ['date'] }] };
    expect(remedyOfUnread({ code: 'unexpected', remedy })).toEqual(remedy);
  });

  test.each([
    ['query-failed', "Correct what PostgreSQL's message names"],
    ['permissions-missing', 'Grant the rights that the check permissions names'],
    ['not-tried', 'Correct what the finding names'],
  ] as const)('without words of its error has those for its code: %s', (code, remedy) => {
    expect(remedyOfUnread({ code }).text).toBe(`${remedy}, then run the checks again.`);
  });

  test('of which nothing more is known is an error in the action', async () => {
    const fact = await known(() => Promise.reject(new Error('odd')));
    expect(fact).toEqual({ known: false, reason: 'odd', code: 'unexpected' });
    for (const unread of [undefined, { code: 'unexpected' as const }])
      expect(remedyOfUnread(unread).text).toMatch(/^Run the checks again\..*report it with the log/);
  });
});
