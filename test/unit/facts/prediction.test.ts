import { expect, test } from '@jest/globals';
import { predict, predictionOf, predictionText } from '../../../src/facts/prediction.ts';
import { facts, known, restoreTest, restoreResult, unread } from '../prechecks/facts.ts';

const places = [
  restoreResult(undefined, { seconds: { dump: 0.5, restore: 0.25 } }),
  restoreResult('a', { seconds: { dump: 4, restore: 8 } }),
  restoreResult('b', { seconds: { dump: 1, restore: 2 } }),
  restoreResult('c', { seconds: { dump: 2, restore: 3 } }),
  restoreResult('template1', { seconds: { dump: 1, restore: 1 } }),
];

test.each([
  // 1.3 s + 4 databases of 0.1 s, roles 0.75 s, template1 1 s alone; then the dumps and the restores, the longest way through the jobs
  [1, 1.7 + 0.75 + 1 + 8 + 13],
  [2, 1.7 + 0.75 + 1 + 4 + 8],
])('with %i jobs pg_upgrade is said to need %d s', (jobs, seconds) => {
  expect(predict({ ...restoreTest, places }, jobs)?.pgUpgradeSeconds).toBeCloseTo(seconds, 2);
});

test.each([
  [4, 1, 1],
  [4, 2, 2],
  [2, 64, 2],
  [2, undefined, 2],
  [2, 0, 1],
])('%i jobs on a node of %j CPUs take as long as %i', (jobs, cpus, as) => {
  const alone = { ...restoreTest, cpus: undefined, places };
  expect(predict({ ...alone, cpus }, jobs)).toEqual(predict(alone, as));
});

test('says what was measured', async () => {
  const prediction = predictionOf(await facts());
  expect(prediction?.databases).toEqual(
    ['circle', 'postgres', 'template1'].map((name) => ({ name, dumpSeconds: 0.25, restoreSeconds: 0.5 })),
  );
  expect(prediction && predictionText(prediction)).toMatch(
    /^pg_upgrade will take about \d+ s of the downtime\. .* 3 databases/,
  );
});

test('is not made where something was refused: what was not restored took no time', () => {
  const failure = { object: 'VIEW v', message: 'ERROR: no', details: [], statement: '' };
  for (const refused of [{ failures: [failure] }, { more: 1 }, { dump: ['pg_dump: error: no'] }])
    expect(predict({ ...restoreTest, places: [...places, restoreResult('d', refused)] }, 1)).toBeUndefined();
});

test('is not made of half a restore test', async () => {
  expect(
    predict({ ...restoreTest, places: [...places, restoreResult('d', { seconds: undefined })] }, 1),
  ).toBeUndefined();
  expect(predictionOf(await facts({ restoreTest: known({ ...restoreTest, broken: 'ended' }) }))).toBeUndefined();
  expect(predictionOf(await facts({ restoreTest: unread('no answer') }))).toBeUndefined();
});
