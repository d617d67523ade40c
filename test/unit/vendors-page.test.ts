// docs/vendors-page.md is about each statement of the vendor's upgrade page, whose sentences are not here: only their digests are.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  compareWithRows,
  digestOf,
  rowsOf,
  statementsOf,
  type RowsOfStatements,
} from '../../scripts/page-statements.ts';

const page = `Feed the lions

  • Bring the meat. Never turn
    your back!

  • Keys of all cages

  1. Open the gate. gate_keeper waits inside:

    $ open gate \\
    --slowly
    $ for lion in $(lions); do
      feed "$lion"
    done
    Close it again.

    ---
    kind: Lion
    spec:
      hungry: true
`;
const statements = [
  'Bring the meat.',
  'Never turn your back!',
  'Keys of all cages',
  'Open the gate.',
  'gate_keeper waits inside:',
  '$ open gate \\ --slowly $ for lion in $(lions); do feed "$lion" done',
  'Close it again.',
  '--- kind: Lion spec: hungry: true',
];
const table = '| row | page |\n| --- | --- |\n| A1 | meat |\n| A2 | gate |\n';
const digests = (rows: Readonly<Record<string, readonly string[]>>): RowsOfStatements =>
  Object.fromEntries(Object.entries(rows).map(([statement, of]) => [digestOf(statement), of]));
const all = digests(Object.fromEntries(statements.map((s) => [s, s.includes('gate') ? ['A2'] : ['A1']])));

describe('the statements of a page', () => {
  test('are its sentences, the items of its lists, and its blocks of commands and manifests; a title is none', () => {
    expect(statementsOf(page)).toEqual(statements);
  });

  test('do not depend on line ends and white space', () => {
    expect(statementsOf(page.replaceAll('\n', '\r\n').replaceAll(' turn', '\t turn'))).toEqual(statements);
  });

  test('are the same in Markdown', () => {
    const markdown = '# Lions\n\n*   **Bring** the `meat`. [Never](https://a.example) turn\n    your back!\n\n';
    expect(statementsOf(`${markdown}    \`\`\`shell\n    open gate\n\n    feed\n    \`\`\`\n`)).toEqual([
      ...statements.slice(0, 2),
      'open gate feed',
    ]);
  });
});

describe('a page is compared with the rows', () => {
  test('and each statement has one', () => {
    expect(compareWithRows(page, all, rowsOf(table))).toEqual({ statements: 8, withoutRow: [], gone: [] });
  });

  test('a statement that is new, or is worded anew, has none', () => {
    expect(compareWithRows(`${page}\nLock up.`, all, rowsOf(table)).withoutRow).toEqual(['Lock up.']);
    expect(compareWithRows(page.replace('meat', 'fish'), all, rowsOf(table)).withoutRow).toEqual(['Bring the fish.']);
  });

  test('a row of which the page says nothing any more is gone, one that keeps a statement is not', () => {
    const later = page.replaceAll('gate', 'door');
    expect(compareWithRows(later, all, rowsOf(table)).gone).toEqual(['A2']);
    expect(compareWithRows(page.replace('Open the gate. ', ''), all, rowsOf(table)).gone).toEqual([]);
  });
});

describe('npm run page', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'page-'));
  const files = ['page.txt', 'rows.md', 'digests.json'].map((name) => path.join(folder, name));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const run = (text: string) => {
    [text, table, JSON.stringify(all)].forEach((content, i) => {
      writeFileSync(files[i] ?? '', content);
    });
    const node = ['--experimental-transform-types', '--no-warnings', 'scripts/page.ts', ...files];
    const { status, stdout } = spawnSync('scripts/node24', node, { encoding: 'utf8' });
    return { status, lines: stdout.trimEnd().split('\n') };
  };

  test('exits with 0 where nothing is to do', () => {
    expect(run(page)).toEqual({
      status: 0,
      lines: ['8 statements, 0 without a row; 0 rows without a statement.'],
    });
  });

  test('exits with 1, and says which statements and rows it is about', () => {
    const { status, lines } = run('Lock up.');
    expect(status).toBe(1);
    expect(lines[0]).toBe(`No row: ${digestOf('Lock up.')} Lock up.`);
    expect(lines.slice(1, 3).map((line) => /row (A\d)/.exec(line)?.[1])).toEqual(['A1', 'A2']);
  });
});

describe('docs/vendors-page.md', () => {
  const document = readFileSync('docs/vendors-page.md', 'utf8');
  const rows = rowsOf(document);
  const fixture = JSON.parse(readFileSync('test/fixtures/vendors-page.json', 'utf8')) as RowsOfStatements;

  test('has each row once', () => {
    expect(rows.filter((row, index) => rows.indexOf(row) !== index)).toEqual([]);
  });

  test.each(Object.entries(fixture))('has the rows of the statement with digest %s', (digest, of) => {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(of).not.toEqual([]);
    expect(of.filter((row) => !rows.includes(row))).toEqual([]);
  });

  test('has no row without a statement', () => {
    const told = new Set(Object.values(fixture).flat());
    expect(rows.filter((row) => !told.has(row))).toEqual([]);
  });

  test('says of each row whether the action does it, and what to do where it does not', () => {
    const said = document.split('\n').filter((line) => /^\| [A-Z]\d+ \|/.test(line));
    const ends = said.map((line) => line.split(' | ').at(-1) ?? '');
    expect(ends.filter((end) => !/^\*\*(Same|Another way|Not covered)\*\*/.test(end))).toEqual([]);
    expect(ends.filter((end) => /^\*\*Not covered\*\*(?!: )/.test(end))).toEqual([]);
  });

  test("has none of the page's own sentences", () => {
    const cells = document.split('\n').flatMap((line) => line.split(' | '));
    const theirs = cells.flatMap((cell) => [cell, ...statementsOf(`• ${cell}`)]).filter((s) => digestOf(s) in fixture);
    expect(theirs).toEqual([]);
  });
});
