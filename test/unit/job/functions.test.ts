import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const directory = path.resolve(import.meta.dirname, '../../../src/job');

/** The script, and those that it sources. */
function partsOf(script: string): string[] {
  const text = readFileSync(path.join(directory, script), 'utf8');
  return [script, ...[...text.matchAll(/^source "\$here\/(.*)"$/gm)].map(([, name = '']) => name)];
}

test.each(['upgrade.sh', 'copy.sh'])('%s and what it sources define each function once', (script) => {
  const parts = partsOf(script);
  expect(parts.length).toBeGreaterThan(1);
  const names = parts.flatMap((part) =>
    [...readFileSync(path.join(directory, part), 'utf8').matchAll(/^(\w+)\(\) [{(]/gm)].map(([, name = '']) => name),
  );
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});
