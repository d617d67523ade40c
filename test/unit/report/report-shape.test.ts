import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { reportShape } from '../../../src/report/report-shape.ts';
import { planReport } from '../../../src/report/plan-report.ts';
import { report } from './reports.ts';

const published = JSON.parse(readFileSync(path.resolve('docs/report.schema.json'), 'utf8')) as object;
const valid = new Ajv2020().compile(published);
/** As it is written. */
const written = (object: object): unknown => JSON.parse(JSON.stringify(object));

const plan = planReport([
  {
    ...{ id: 'stop', title: 'Stop', isDowntime: true, expected: { seconds: 2, basis: 'the bench' } },
    moves: [
      { does: 'create', resource: 'jobs', object: { metadata: { name: 'job' } }, until: 'its end' },
      {
        ...{ does: 'change', resource: 'deployments', name: 'frontend', object: { spec: { replicas: 3 } } },
        operations: [{ op: 'add', path: '/spec/replicas', value: 0 }],
      },
      { does: 'run', what: 'CHECKPOINT' },
    ],
  },
]);

test.each([
  ['an upgrade', report()],
  ['a dry run', report({ verdict: 'passed', serving: false, plan })],
  ['a precheck with its issue', report({ issue: { operation: 'closed', number: 7, url: 'https://x/7' } })],
  [
    'a precheck whose issue could not be read',
    report({ issue: { operation: 'failed', number: undefined, url: undefined } }),
  ],
  ['a failure', report({ error: { code: 'x', message: 'X.', remedy: { text: 'Y.' } } })],
])('the published schema takes the report of %s', (_what, one) => {
  expect(valid(written(one)) ? [] : valid.errors).toEqual([]);
  expect(reportShape.safeParse(written(one)).error).toBeUndefined();
});

test.each([
  ['a field that it does not know', { ...report(), extra: 1 }],
  ['an unknown verdict', { ...report(), verdict: 'fine' }],
  ['no namespace', { ...report(), namespace: undefined }],
])('and refuses %s', (_what, one) => {
  expect(valid(written(one))).toBe(false);
});
