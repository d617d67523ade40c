// What the vendor's upgrade page states, told without its words: docs/vendors-page.md has a row in our own words for each statement, and
// test/fixtures/vendors-page.json has of each statement only a digest, with the rows that are about it.
import { createHash } from 'node:crypto';

/** Rows of docs/vendors-page.md, by the digest of the statement that they are about. */
export type RowsOfStatements = Readonly<Record<string, readonly string[]>>;

/** A line by which commands or a manifest begin: a prompt, the start of a YAML document, helm, a key with nothing behind it. */
const codeBegins = /^(\$ |---$|helm |[a-z][\w./-]*:$)/;
/** A line that goes on with commands, however it is indented. */
const codeGoesOn = /^(\$ |#|helm |done\b)/;
const item = /^(•|\d+\.|[*-])\s+/;

/**
 * The statements of a page, in its order. A statement is a sentence, or a block of commands or of a manifest. Sentences end at ".", "!" or "?" before a
 * space, and at the end of an item of a list or of a line that introduces something (":"). Lines without such an end (titles, cells of tables) are no
 * statements. White space is one space. The marks of Markdown for bold, code and links are taken off; what stands between fences is one block.
 */
export function statementsOf(page: string): string[] {
  return page
    .replaceAll(/\r\n?/g, '\n')
    .split(/^[ \t]*```.*$/m)
    .flatMap((part, index) =>
      index % 2 === 1 ? [normalised(part)] : part.split(/\n\s*\n/).flatMap(statementsOfGroup),
    );
}

/** Of the lines between two empty lines. */
function statementsOfGroup(group: string): string[] {
  const blocks: { readonly isCode: boolean; readonly lines: string[] }[] = [];
  for (const line of group.split('\n').filter((one) => one.trim() !== '')) {
    const last = blocks.at(-1);
    if (last?.isCode === true && belongs(line, last.lines)) last.lines.push(line);
    else if (codeBegins.test(line.trim())) blocks.push({ isCode: true, lines: [line] });
    else if (last === undefined || last.isCode || item.test(line.trim())) blocks.push({ isCode: false, lines: [line] });
    else last.lines.push(line);
  }
  return blocks.flatMap(({ isCode, lines }) => (isCode ? [normalised(lines.join('\n'))] : sentences(lines)));
}

/** Whether a line belongs to the commands or the manifest above it. */
function belongs(line: string, code: readonly string[]): boolean {
  const [first = '', last = ''] = [code[0], code.at(-1)];
  return (
    first.trim() === '---' || last.endsWith('\\') || indentOf(line) > indentOf(first) || codeGoesOn.test(line.trim())
  );
}

function sentences(lines: readonly string[]): string[] {
  const all = normalised(lines.join(' '));
  const text = all
    .replace(item, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\*\*|`/g, '');
  return item.test(all) || /[.!?:]$/.test(text) ? text.split(/(?<=[.!?]) /) : [];
}

function normalised(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** SHA-256 in hexadecimal digits. */
export function digestOf(statement: string): string {
  return createHash('sha256').update(statement).digest('hex');
}

/** The ids of the rows of docs/vendors-page.md. */
export function rowsOf(document: string): string[] {
  return [...document.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, id]) => id ?? '');
}

/** How a page differs from what the rows are about: statements without a row, and rows of which the page says nothing any more. */
export function compareWithRows(
  page: string,
  rowsByDigest: RowsOfStatements,
  rows: readonly string[],
): { readonly statements: number; readonly withoutRow: string[]; readonly gone: string[] } {
  const statements = statementsOf(page);
  const told = new Set(statements.flatMap((statement) => rowsByDigest[digestOf(statement)] ?? []));
  return {
    statements: statements.length,
    withoutRow: statements.filter((statement) => rowsByDigest[digestOf(statement)] === undefined),
    gone: rows.filter((row) => !told.has(row)),
  };
}
