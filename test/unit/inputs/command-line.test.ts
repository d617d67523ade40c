import { describe, expect, test } from '@jest/globals';
import { inputName } from '../../../src/common/input-name.ts';
import { expectNode, helpText, parseCommandLine } from '../../../src/inputs/command-line.ts';
import { inputTable } from '../../../src/inputs/inputs.ts';
import { thrownBy } from '../thrown.ts';

describe('flags are inputs', () => {
  test('by their names, with the texts that a workflow would give', () => {
    expect(
      parseCommandLine(['--namespace', 'circleci-server', '--mode=upgrade', '--dry-run', '--no-verify-backup']),
    ).toEqual({
      asks: 'run',
      inputs: { namespace: 'circleci-server', mode: 'upgrade', 'dry-run': 'true', 'verify-backup': 'false' },
    });
  });

  test.each(Object.entries(inputTable).map(([key, input]) => [inputName(key), input] as const))(
    '--%s is one, or is a secret',
    async (name, input) => {
      const isSwitch = input.type === 'true | false';
      const words = isSwitch ? [`--${name}`] : [`--${name}`, 'x'];
      if (name === 'github-token')
        expect(await thrownBy(() => parseCommandLine(words))).toMatchObject({ code: 'flag-secret' });
      else expect(parseCommandLine(words)).toEqual({ asks: 'run', inputs: { [name]: isSwitch ? 'true' : 'x' } });
      expect(helpText('0.1.0').includes(`--${name}`)).toBe(name !== 'github-token');
    },
  );

  test('a value may have several lines, be empty, or begin with "-"', () => {
    const words = ['--ignore-checks', 'replay: seen\nclients: known', '--confirm', '', '--context=-odd'];
    expect(parseCommandLine(words)).toEqual({
      asks: 'run',
      inputs: { 'ignore-checks': 'replay: seen\nclients: known', confirm: '', context: '-odd' },
    });
  });

  test('none is no input', () => {
    expect(parseCommandLine([])).toEqual({ asks: 'run', inputs: {} });
  });

  test.each(['help', 'version'])('--%s asks for nothing else', (asks) => {
    expect(parseCommandLine([`--${asks}`])).toEqual({ asks });
    expect(parseCommandLine(['--mode', 'upgrade', `--${asks}`])).toEqual({ asks });
  });
});

describe('what is wrong is named, and what to write', () => {
  test.each([
    [['--nmespace', 'x'], 'flag-unknown', 'There is no flag "--nmespace"; the nearest is "--namespace".'],
    [['--dry_run'], 'flag-unknown', 'There is no flag "--dry_run"; the nearest is "--dry-run".'],
    [['--colour', 'never'], 'flag-unknown', 'There is no flag "--colour".'],
    [['-n', 'x'], 'flag-unknown', 'There is no flag "-n".'],
    [['--mode'], 'flag-value', 'The flag "--mode" lacks its value.'],
    [['--mode', '--dry-run'], 'flag-value', 'The flag "--mode" lacks its value.'],
    [['--no-mode'], 'flag-unknown', 'There is no flag "--no-mode".'],
    [['--dry-run=true'], 'flag-value', 'The flag "--dry-run" takes no value.'],
    [['--verify-backup=false'], 'flag-value', 'The flag "--verify-backup" takes no value.'],
    [['--mode', 'precheck', '--mode', 'upgrade'], 'flag-repeated', 'The flag "--mode" is given 2 times.'],
    [['--dry-run', '--no-dry-run'], 'flag-repeated', 'The flag "--dry-run" is given 2 times.'],
  ])('%j', async (words, code, message) => {
    expect(await thrownBy(() => parseCommandLine(words))).toMatchObject({ code, message });
  });

  test.each([
    [['--github-token', 'SECRET'], 'flag-secret'],
    [['--github-token=SECRET'], 'flag-secret'],
    [['--kubeconfig', 'apiVersion: v1\nusers: SECRET'], 'flag-secret'],
    [['--kubeconfig', ' {"users": "SECRET"}'], 'flag-secret'],
    [['SECRET'], 'flag-unknown'],
    [['--dry-run', 'SECRET'], 'flag-unknown'],
    [['--dry-run=SECRET'], 'flag-value'],
    [['--token=SECRET'], 'flag-unknown'],
    [['--', 'SECRET'], 'flag-unknown'],
  ])('%j, without the secret', async (words, code) => {
    const error = await thrownBy(() => parseCommandLine(words));
    expect(error).toMatchObject({ code });
    expect(JSON.stringify([error, error.message])).not.toContain('SECRET');
  });
});

test.each(['24.0.0', '26.1.0'])('Node %s is new enough', (version) => {
  expect(() => {
    expectNode(version);
  }).not.toThrow();
});

test.each(['20.20.2', '8.0.0'])('Node %s is too old', async (version) => {
  expect(
    await thrownBy(() => {
      expectNode(version);
    }),
  ).toMatchObject({ code: 'node-too-old' });
});

test('the help names version, exit codes and where secrets come from, in lines that fit', () => {
  const help = helpText('1.2.3');
  expect(help).toMatch(/^CircleCI Server PostgreSQL upgrade 1\.2\.3\n/);
  expect(help).toContain('\nExit codes:\n  0  ');
  expect(help).toContain('GITHUB_TOKEN');
  const long = help.split('\n').filter((line) => line.length > 100 && !line.startsWith('  --resources'));
  expect(long).toEqual([]);
});
