import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { inputTable } from '../../../src/inputs/inputs.ts';
import { inputName } from '../../../src/common/input-name.ts';
import { outputTable } from '../../../src/common/outputs.ts';

interface Action {
  readonly inputs: Record<string, { description: string; required: boolean; default?: string }>;
  readonly outputs: Record<string, { description: string }>;
  readonly runs: { using: string; main: string };
}

const action = load(readFileSync(new URL('../../../action.yml', import.meta.url), 'utf8')) as Action;

describe('action.yml', () => {
  test('runs the bundle on node24, and once more when the job is over', () => {
    expect(action.runs).toEqual({
      using: 'node24',
      main: 'dist/index.js',
      post: 'dist/index.js',
      'post-if': 'always()',
    });
  });

  test('has the inputs of the table and no others', () => {
    expect(Object.keys(action.inputs)).toEqual(Object.keys(inputTable).map(inputName));
  });

  test.each(Object.entries(inputTable))('describes input %s as the table does', (key, input) => {
    const described = action.inputs[inputName(key)];
    expect(described?.description).toBe(input.description);
    expect(described?.required).toBe(input.required);
    expect(described?.default ?? '').toBe(input.default);
  });

  test('has the outputs of the table and no others', () => {
    expect(action.outputs).toEqual(
      Object.fromEntries(Object.entries(outputTable).map(([key, description]) => [inputName(key), { description }])),
    );
  });
});

describe('the tables', () => {
  test.each(Object.entries({ ...inputTable }))('input %s reads its own default', (key, input) => {
    if (!input.required) expect(() => input.parse(input.default, key)).not.toThrow();
  });

  test('describe each input and output in a sentence', () => {
    for (const description of [...Object.values(inputTable).map((i) => i.description), ...Object.values(outputTable)])
      expect(description).toMatch(/\.$/);
  });
});
