// Any text for any input: it is refused by the input's name, or what comes of it is of the input's type. From the table, so that a new input is
// covered by itself, and one of a new type fails until its range is told here.
import { describe, expect, test } from '@jest/globals';
import fc from '../fast-check.ts';
import { ConfigurationError } from '../../src/common/errors.ts';
import { guardConsent } from '../../src/inputs/guards.ts';
import { dubiousInputs, unusedInputs } from '../../src/inputs/input-advice.ts';
import { longestDuration, modes } from '../../src/inputs/input-types.ts';
import { inputTable, parseInputs, type Inputs } from '../../src/inputs/inputs.ts';
import { inputName } from '../../src/common/input-name.ts';
import { wholeCpus } from '../../src/inputs/resources.ts';
import { valuesUpdate } from '../../src/pull-request/values-update.ts';
import { parallelJobs } from '../../src/objects/job-settings.ts';

const seed = 20261129;

type Range = (value: unknown) => boolean;
const isInteger = (value: unknown, least: number, most: number) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isLine = (most: number) => (value: unknown) =>
  typeof value === 'string' && value.length <= most && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value);

const isScript: Range = (value) => typeof value === 'string' && value.length <= 20_000;

/** What may come of a text, by the input's type. */
const ranges: Readonly<Record<string, Range>> = {
  duration: (value) => isInteger(value, 1000, longestDuration) && longestDuration < 2 ** 31,
  'duration or nothing': (value) => value === undefined || isInteger(value, 1000, longestDuration),
  time: (value) => value === undefined || !Number.isNaN((value as Date).getTime()),
  SQL: isScript,
  commands: isScript,
  'duration or 0s': (value) => value === 0 || isInteger(value, 1000, longestDuration),
  number: (value) => value === undefined || isInteger(value, 1, 256),
  'true | false': (value) => typeof value === 'boolean',
  keys: (value) =>
    (value as Inputs['valuesPath']).every((key) =>
      typeof key === 'number' ? isInteger(key, 0, 9999) : key !== '' && isLine(1000)(key),
    ),
  secret: (value) => /^[\x21-\x7e]{0,10000}$/.test(value as string),
  resources: (value) => isInteger(wholeCpus(value as Inputs['resources']), 1, Number.MAX_VALUE),
  'list of checks': (value) => [...(value as Inputs['ignoreChecks'])].flat().every((text) => text.trim() !== ''),
};
for (const type of ['name', 'key', 'path', 'branch', 'label selector', 'release', 'image path', 'tag', 'image'])
  Object.assign(ranges, { [type]: isLine(1000) });

function rangeOf(name: string): Range {
  const entry = Object.entries(inputTable).find(([key]) => inputName(key) === name);
  if (entry === undefined) throw new Error(name);
  const { type } = entry[1];
  if (type === 'text') return name === 'kubeconfig' ? (value) => (value as string).length <= 1_000_000 : isLine(1000);
  if (type.startsWith('list of ') && type !== 'list of checks')
    return (value) =>
      (value as string[]).length <= 100 && (value as string[]).every((word) => isLine(200)(word) && word !== '');
  const words = type.split(' | ');
  const range =
    ranges[type] ??
    (words.length > 1 || words[0] === 'patch' ? (value: unknown) => words.includes(value as string) : undefined);
  if (range === undefined) throw new Error(`no range is told for the type ${type}`);
  return range;
}

/** Pieces of what some input takes, and of what breaks parsers. */
const pieces = fc.constantFrom(
  ...[
    'a',
    'A',
    '0',
    '9',
    '-',
    '_',
    '.',
    '..',
    '/',
    ':',
    '=',
    '!',
    ',',
    '(',
    ')',
    ' in ',
    ' ',
    '\t',
    '\n',
    '\r',
    '\0',
    '\x1b[2J',
    '\u2028',
  ],
  ...[
    '\\',
    '"',
    "'",
    '`',
    '$(',
    '${{ x }}',
    '::error::',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '<<: ',
    '|',
    '#',
    '@',
    '%',
    '+',
    '~',
    '🙂',
    '\ud800',
  ],
  ...[
    '1h',
    '9m',
    '0s',
    'true',
    'None',
    'none',
    'precheck',
    '12',
    '14.22',
    'sha256:',
    '__proto__',
    'constructor',
    'permissions: x',
    'requests',
  ],
);
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  // Of any length: environment variables have up to 128 KiB.
  fc.tuple(pieces, fc.nat(130_000), pieces).map(([piece, length, end]) => piece.repeat(length / piece.length) + end),
  fc.tuple(pieces, pieces, fc.nat(65_000)).map(([a, b, count]) => (a + b).repeat(count).slice(0, 130_000)),
);

function outcomeOf(given: Readonly<Record<string, string>>): Inputs | ConfigurationError {
  try {
    const read = (name: string) => ({ namespace: 'circleci-server', ...given })[name] ?? '';
    const inputs = parseInputs(read);
    // Nor does anything fail that is made of them before the cluster is looked at.
    unusedInputs(read, inputs.mode);
    dubiousInputs(inputs);
    parallelJobs(inputs.jobs, 3, wholeCpus(inputs.resources));
    try {
      guardConsent(inputs);
      valuesUpdate(inputs, inputs.servingImage, 'run');
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
    }
    return inputs;
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

function expectRefusal(error: ConfigurationError, names: readonly string[]): void {
  expect(names.filter((name) => error.message.includes(`Input "${name}"`))).toHaveLength(1);
  expect(error.message).not.toMatch(/\p{Cc}/u);
  expect(error.message.length).toBeLessThan(600);
  expect(error.remedy.text).not.toBe('');
}

describe('any text', () => {
  test.each(Object.entries(inputTable).map(([key]) => [inputName(key), key] as const))(
    'of %s is refused by its name, or within the range of its type',
    (name, key) => {
      const isInRange = rangeOf(name);
      fc.assert(
        fc.property(texts, (text) => {
          const outcome = outcomeOf({ [name]: text });
          if (outcome instanceof ConfigurationError) expectRefusal(outcome, [name]);
          else if (!isInRange(outcome[key as keyof Inputs])) throw new Error(`out of range: ${JSON.stringify(text)}`);
        }),
        { seed, numRuns: 120 },
      );
    },
  );

  test('of several inputs is refused by one of their names', () => {
    const names = Object.keys(inputTable).map(inputName);
    const given = fc.dictionary(fc.constantFrom(...names), texts, { maxKeys: 6 });
    fc.assert(
      fc.property(given, (some) => {
        const outcome = outcomeOf(some);
        if (outcome instanceof ConfigurationError) expectRefusal(outcome, Object.keys(some));
      }),
      { seed, numRuns: 300 },
    );
  });

  test.each(modes)('the table names mode %s for some input, and lets each condition hold', (mode) => {
    const table = Object.entries(inputTable).map(([key, input]) => ({ name: inputName(key), ...input }));
    expect(table.some((input) => input.modes.includes(mode))).toBe(true);
    for (const { needs } of table)
      for (const condition of needs) {
        const [name, value] = condition.split(': ');
        const other = table.find((input) => input.name === name);
        expect(() => other?.parse(value ?? 'values.yaml', name ?? '')).not.toThrow();
        expect(other).toBeDefined();
      }
  });
});
