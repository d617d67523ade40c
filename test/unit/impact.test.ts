// The table of what a change runs besides npm test names what is there.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const rows = readFileSync('test/impact.txt', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [begins = '', ...tests] = line.split(/\s+/);
    return { begins, tests };
  });
const parts = ['unit', 'job', 'hazards', 'faults', 'bench', 'cluster', 'workflow', 'mutants'];

describe.each(rows)('$begins', ({ begins, tests }) => {
  test('begins the path of a file', () => {
    expect([begins, `${begins}.ts`].some((path) => existsSync(path))).toBe(true);
  });

  test.each(tests)('%s is a part, or a file', (name) => {
    expect(parts.includes(name) || existsSync(`test/${name}.test.ts`)).toBe(true);
  });
});
