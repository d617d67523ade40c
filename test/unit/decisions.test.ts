// The records of docs/decisions and ARCHITECTURE.md name files and tests that are there, and the code names the records.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';

const folder = 'docs/decisions';
const architecture = readFileSync('ARCHITECTURE.md', 'utf8');
const records = readdirSync(folder).map((file) => ({ file, text: readFileSync(path.join(folder, file), 'utf8') }));
const named = records.map((record) => [record.file, record] as const);

/** Between backticks or as a link: a path from the root of the repository, mostly. */
const paths = (text: string) =>
  [...text.matchAll(/`([^`\n]+)`|\]\(([^)#]+)/g)].map(([, code, link]) => code ?? link ?? '');
const isPath = (text: string) => /^(src|test|bench|scripts|docs|\.github)\/[\w./-]+$/.test(text);
/** A file by its name alone, which nobody finds. */
const isBareName = (text: string) => /^[\w.-]+\.(ts|sh|awk|pl|py)$/.test(text);

const titleOf = (text: string) => /^# \d+\. (.+)$/m.exec(text)?.[1];
const sectionsOf = (text: string) =>
  text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ name: section.split('\n', 1)[0] ?? '', body: section.slice(section.indexOf('\n')).trim() }));
/** The items of a list, each on one line. */
const itemsOf = (text: string) => text.replaceAll(/\n {2,}/g, ' ').split('\n');
/** What a test calls itself in its file: a string of TypeScript, or a function of Python. */
const namesIn = (file: string) => {
  const text = readFileSync(file, 'utf8').replaceAll(String.raw`\'`, "'");
  return file.endsWith('.ts') ? text : text.replaceAll('_', ' ');
};

/** The records that the code names. */
const references = new Set(
  ['src', 'bench', 'test', 'scripts'].flatMap((root) =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
      .flatMap((text) => [...text.matchAll(/docs\/decisions\/([\w.-]+\.md)/g)].map(([, file]) => file ?? '')),
  ),
);

describe.each(named)('%s', (file, { text }) => {
  test('has a number, a title, and what a record consists of', () => {
    expect(text).toMatch(new RegExp(`^# ${String(Number(file.slice(0, 4)))}\\. `));
    const sections = sectionsOf(text);
    expect(sections.map(({ name }) => name)).toEqual(['Context', 'Decision', 'Consequences', 'Test']);
    expect(sections.filter(({ body }) => body === '')).toEqual([]);
  });

  test('names files by paths that are there', () => {
    const links = paths(text).map((name) => (name.endsWith('.md') && !isPath(name) ? path.join(folder, name) : name));
    expect(links.filter((name) => isPath(name) && !existsSync(name))).toEqual([]);
    expect(links.filter(isBareName)).toEqual([]);
  });

  test('names tests that are there', () => {
    const items = itemsOf(sectionsOf(text).at(-1)?.body ?? '');
    const missing = items.flatMap((item) => {
      const files = paths(item).filter((name) => isPath(name) && existsSync(name));
      if (!item.startsWith('- ') || files.length === 0) return [`no test: ${item}`];
      return [...item.matchAll(/"([^"]+)"/g)]
        .map(([, title]) => title ?? '')
        .filter((title) => !files.some((name) => namesIn(name).includes(title)));
    });
    expect(missing).toEqual([]);
  });

  test('is named by the code that it explains', () => {
    expect(references).toContain(file);
  });

  test('is in the index of ARCHITECTURE.md, with its title', () => {
    const row = architecture.split('\n').find((line) => line.startsWith(`| [${file.slice(0, 4)}](${folder}/${file}) `));
    expect(row?.split('|')[2]?.trim()).toBe(titleOf(text));
  });
});

test('code names no record that is not there', () => {
  expect([...references].filter((file) => !existsSync(path.join(folder, file)))).toEqual([]);
});

describe('ARCHITECTURE.md', () => {
  test('names files by paths that are there', () => {
    const all = paths(architecture);
    expect(all.filter((name) => isPath(name) && !existsSync(name))).toEqual([]);
    expect(all.filter(isBareName)).toEqual([]);
  });

  test('maps folders and files that are there', () => {
    let here = '';
    const missing = (/^```\n(action\.yml[^`]+)^```/m.exec(architecture)?.[1] ?? '').split('\n').flatMap((line) => {
      const [first = ''] = line.split(' ', 1);
      if (first !== '') here = first;
      const names = line.match(/[\w./-]+\.(?:ts|sh|awk|pl|json|yml|md)\b/g) ?? [];
      return [first, ...names].filter((name) => !existsSync(name) && !existsSync(path.join(here, name)));
    });
    expect(here).not.toBe('');
    expect(missing).toEqual([]);
  });

  test('says of each invariant which tests hold it', () => {
    const rows =
      architecture
        .split('\n## ')
        .find((section) => section.startsWith('What always holds'))
        ?.split('\n') ?? [];
    const held = rows.filter((row) => row.startsWith('|')).slice(2);
    expect(held.length).toBeGreaterThan(0);
    expect(
      held.filter((row) => !paths(row).some((name) => /^(test|scripts)\//.test(name) && existsSync(name))),
    ).toEqual([]);
  });
});
