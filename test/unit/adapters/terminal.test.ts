import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { terminal } from '../../../src/adapters/terminal.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function open(variables: Readonly<Record<string, string>> = {}, clock?: { now: () => Date }) {
  const lines: string[] = [];
  const environment = { names: Object.keys(variables), get: (name: string) => variables[name] ?? '' };
  return { ...terminal(environment, clock, (line) => lines.push(line)), lines };
}

test('groups are headings, annotations are lines, and nothing is a command', async () => {
  const { runner, lines } = open();
  await runner.log.group('✓ Namespace', () => {
    runner.log.info('::error::of a server');
    return Promise.resolve();
  });
  runner.log.annotate('error', 'confirm-missing', 'It is empty.\nSet it.');
  runner.log.annotate('warning', 'values', 'No image.', { file: 'values.yaml', line: 3 });
  runner.mask('SECRET');
  runner.saveState('isPost', 'yes');
  runner.log.debug('not shown');
  expect(lines).toEqual([
    '▸ ✓ Namespace',
    ': :error::of a server',
    'error: confirm-missing: It is empty.\nSet it.',
    'warning: values: No image. (values.yaml, line 3)',
  ]);
});

test('each line of the log begins with the time of day, and no line of the outputs does', async () => {
  let seconds = 0;
  const { runner, lines, listOutputs } = open(
    {},
    { now: () => new Date(Date.UTC(2026, 0, 2, 23, 59, 59 + seconds++)) },
  );
  await runner.log.group('Wait', () => {
    runner.log.info('one\n\ntwo');
    return Promise.resolve();
  });
  runner.log.annotate('error', 'unexpected', 'It is empty.');
  runner.output('verdict', 'failed');
  listOutputs();
  expect(lines).toEqual([
    '23:59:59Z ▸ Wait',
    '00:00:00Z one\n00:00:00Z\n00:00:00Z two',
    '00:00:01Z error: unexpected: It is empty.',
    '▸ Outputs',
    'verdict: failed',
  ]);
});

test('what would move the cursor is shown', () => {
  const { runner, lines } = open();
  runner.log.info('a\u001b[2Jb');
  expect(lines).toEqual(['a\\x1b[2Jb']);
});

test('debug lines show where RUNNER_DEBUG asks for them', () => {
  const { runner, lines } = open({ RUNNER_DEBUG: '1' });
  runner.log.debug('asked');
  expect(lines).toEqual(['debug: asked']);
});

test('the outputs are listed at the end, by their names', async () => {
  const { runner, lines, listOutputs } = open();
  runner.output('failedChecks', 'clients,replay');
  runner.output('verdict', 'failed');
  await runner.summarize('# not shown');
  expect(lines).toEqual([]);
  listOutputs();
  expect(lines).toEqual(['▸ Outputs', 'failed-checks: clients,replay', 'verdict: failed']);
});

test('no outputs, no list', () => {
  const { lines, listOutputs } = open();
  listOutputs();
  expect(lines).toEqual([]);
});

test('a report gets a folder of its own, which only this user can read', async () => {
  const { runner } = open();
  const [file, other] = [
    await runner.writeReport('report.json', { a: 1 }),
    await runner.writeReport('report.json', {}),
  ];
  folders.push(path.dirname(file), path.dirname(other));
  expect(other).not.toBe(file);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: 1 });
  expect([file, path.dirname(file)].map((place) => statSync(place).mode & 0o777)).toEqual([0o600, 0o700]);
});

test('RUNNER_TEMP says where the report goes', async () => {
  const folder = mkdtempSync('/tmp/terminal-');
  folders.push(folder);
  const { runner } = open({ RUNNER_TEMP: folder });
  expect(await runner.writeReport('report.json', {})).toBe(`${folder}/report.json`);
});
