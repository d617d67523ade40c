import { describe, expect, test } from '@jest/globals';
import { dubiousInputs, unknownInputs, unusedInputs } from '../../../src/inputs/input-advice.ts';
import { inputTable } from '../../../src/inputs/inputs.ts';
import { inputName } from '../../../src/common/input-name.ts';
import { inputs } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

const names = Object.keys(inputTable).map(inputName);
const reader = (given: Readonly<Record<string, string>>) => (name: string) => given[name] ?? '';

describe('names that no input has', () => {
  test('none are found among those of the table', () => {
    expect(unknownInputs(names)).toEqual([]);
  });

  test.each([
    ['kubconfig', 'kubeconfig'],
    ['dry_run', 'dry-run'],
    ['dryrun', 'dry-run'],
    ['dry-rum', 'dry-run'],
    ['namespce', 'namespace'],
    ['confrim', 'confirm'],
    ['acceptdataloss', 'accept-data-loss'],
    ['job', 'jobs'],
    ['value-file', 'values-file'],
    ['modes', 'mode'],
  ])('%s is refused, and %s named', async (name, nearest) => {
    const error = await thrownBy(() => unknownInputs(['namespace', name]));
    expect(error.code).toBe('input-unknown');
    expect(error.message).toBe(`There is no input "${name}"; the nearest is "${nearest}".`);
  });

  test.each(['notify', 'slack-channel', 'x', ''])('%j is like none', (name) => {
    expect(unknownInputs([name])).toEqual([name]);
  });

  test('one of any length is cut', () => {
    expect(unknownInputs(['x'.repeat(100_000)])[0]).toHaveLength(100);
  });

  test('no two inputs are so much alike that one could be taken for the other', async () => {
    for (const name of names) {
      const error = await thrownBy(() => unknownInputs([`${name}x`]));
      expect(error.message).toContain(`"${name}"`);
    }
  });
});

describe('inputs that a mode does not use', () => {
  test.each([
    [
      'precheck',
      { confirm: 'ns', 'accept-data-loss': 'true', 'dry-run': 'True' },
      ['confirm', 'dry-run', 'accept-data-loss'],
    ],
    ['upgrade', { 'accept-data-loss': 'true', issue: 'true' }, ['accept-data-loss', 'issue']],
    ['status', { confirm: 'ns' }, ['confirm']],
  ] as const)('and agree to something, or ask for it, are a warning: mode %s', (mode, given, expected) => {
    const { warnings } = unusedInputs(reader(given), mode);
    expect(warnings).toEqual([
      `"mode: ${mode}" does not use ${expected.map((name) => `"${name}"`).join(', ')}: no effect in this run.`,
    ]);
  });

  test('and only set something are named', () => {
    const given = { 'job-timeout': '3h', 'values-file': 'values.yaml', kubeconfig: '/k' };
    expect(unusedInputs(reader(given), 'status')).toEqual({ warnings: [], otherModes: ['values-file', 'job-timeout'] });
  });

  test('are none where a workflow repeats the defaults', () => {
    const defaults = Object.fromEntries(
      Object.entries(inputTable).map(([key, input]) => [inputName(key), input.default]),
    );
    for (const mode of ['precheck', 'status', 'values'] as const)
      expect(unusedInputs(reader({ ...defaults, issue: 'FALSE', 'github-token': 'ghs_x' }), mode)).toEqual({
        warnings: [],
        otherModes: [],
      });
  });

  test.each([
    [{ 'values-path': 'a.b' }, '"values-path" is used only with "values-file"'],
    [{ labels: 'x' }, '"labels" is used only with "values-file" or "issue: true"'],
    [
      { 'verify-backup-timeout': '5m', 'verify-backup': 'false' },
      '"verify-backup-timeout" is used only with "verify-backup: true"',
    ],
    [{ 'volume-snapshot-class': 'x', backup: 'clone' }, '"volume-snapshot-class" is used only with "backup: snapshot"'],
    [{ 'confirm-external-backup': 'ns' }, '"confirm-external-backup" is used only with "backup: external"'],
  ])('without another one are a warning: %j', (given: Readonly<Record<string, string>>, text) => {
    expect(unusedInputs(reader(given), 'upgrade').warnings).toEqual([`${text}: no effect in this run.`]);
  });

  test('are used where the other one is given', () => {
    const given = {
      'values-file': 'v.yaml',
      'values-path': 'a.b',
      labels: 'x',
      backup: 'external',
      'confirm-external-backup': 'ns',
    };
    expect(unusedInputs(reader(given), 'upgrade')).toEqual({ warnings: [], otherModes: [] });
  });
});

describe('inputs that a reader would ask about', () => {
  test.each([
    [{ 'application-selector': '!x' }, '"application-selector" is "!x", which selects all but a few workloads'],
    [{ 'application-selector': 'a!=b,c notin (d, e)' }, 'selects all but a few workloads'],
    [{ 'image-tag': 'latest', probes: 'none' }, '"image-tag" is "latest"'],
    [{ 'ignore-checks': 'permissions: we know' }, '"ignore-checks" names permissions: a missing permission'],
    [{ 'ignore-checks': 'layout-user: we know' }, '"ignore-checks" names layout-user'],
  ])('%j', (given: Readonly<Record<string, string>>, text) => {
    expect(dubiousInputs(inputs(given))).toEqual([expect.stringContaining(text)]);
  });

  test.each([
    {},
    { 'application-selector': 'layer=application,!x' },
    { 'image-tag': 'latest' },
    { 'image-tag': '14.22.1-abc', probes: 'none' },
    { 'ignore-checks': 'storage-class: we know' },
    { 'ignore-checks': 'permissions: we know', mode: 'status' },
  ])('not %j', (given: Readonly<Record<string, string>>) => {
    expect(dubiousInputs(inputs(given))).toEqual([]);
  });
});
