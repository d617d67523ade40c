import { visible } from './visible.ts';

// Text of others in GitHub's Markdown. Whoever writes Markdown writes nothing of others into it but by these functions.
// Decision: docs/decisions/0026-text-of-others.md

/** Nobody sees it, and it parts what GitHub would read together. */
const parting = '\u2060';

/**
 * Others' text in a sentence: it looks as it is, and nothing in it is markup, HTML, a link, a mention or a reference.
 * Entities and backslashes hold against Markdown alone: GitHub looks for mentions, references, emoji and addresses of mail in the text that comes of it.
 */
export function text(others: string): string {
  return filled(oneLine(others))
    .replace(/@|:(?=\/\/)|www(?=\.)|#(?=\d)|\bGH-(?=\d)|[0-9a-f]{6}(?=[0-9a-f])|:(?=[\w+-]+:)/gi, `$&${parting}`)
    .replace(/[&<>\\|]/g, (c) => `&#${String(c.charCodeAt(0))};`)
    .replace(/[`*_[\]~]/g, '\\$&')
    .replace(/^[-+=:#]/, '\\$&')
    .replace(/^(\d+)([.)])(?= |$)/, '$1\\$2')
    .replaceAll('$', '<span>$</span>'); // As GitHub's documentation has it, where no formula is meant.
}

/** Others' text as inline code, whatever backticks it holds; what people copy is what was meant. */
export function code(others: string): string {
  return codeSpan(escapeComment(oneLine(others)));
}

/** One line between more backticks than it has. */
export function codeSpan(line: string): string {
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || line === '' ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** Sentences of ours, with others' text anywhere in them: what is between backticks is code, all else is text. */
export function prose(sentences: string): string {
  const parts = oneLine(sentences).split(/(`+)/);
  // Positions of the runs of backticks by their length, the last first.
  const fences = new Map<number, number[]>();
  for (let index = parts.length - 2; index > 0; index -= 2) {
    const length = parts[index]?.length ?? 0;
    const indexes = fences.get(length);
    if (indexes === undefined) fences.set(length, [index]);
    else indexes.push(index);
  }
  const rendered: string[] = [];
  let plain = '';
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] ?? '';
    const end = index % 2 === 1 ? nextAfter(fences.get(part.length) ?? [], index) : undefined;
    if (end === undefined) {
      plain += part;
      continue;
    }
    rendered.push(...ends(plain), code(unpadded(parts.slice(index + 1, end).join(''))));
    plain = '';
    index = end;
  }
  return filled([...rendered, ...ends(plain)].join(''));
}

/** Never empty: an empty item of a list makes a heading of the line before it. */
function filled(markdown: string): string {
  return markdown === '' ? parting : markdown;
}

/** Markdown of one line in a cell of a table: a bar ends a cell, in code too, unless a backslash is before it. */
export function cell(markdown: string): string {
  // Two backslashes would be read as one, and the bar as the end.
  return markdown.replace(/\\(?=\|)/g, `\\${parting}`).replaceAll('|', '\\|');
}

/** A block that nothing in it can end. */
export function block(language: string, lines: readonly string[]): string[] {
  const shown = lines.flatMap((line) => line.split(/\r\n|\r|\n/)).map((line) => escapeComment(visible(line)));
  const fence = '`'.repeat(Math.max(3, longestRun(shown.join('\n')) + 1));
  return [`${fence}${language}`, ...shown, fence];
}

/** A link, where the address is one of the web; else the words alone. */
export function link(words: string, address: string): string {
  return /^https?:\/\/[\w.:-]+(?:\/[\w.~:/?#&=%+,;@-]*)?$/.test(address) ? `[${words}](${address})` : words;
}

/** As much of a text as a place has room for, in whole characters. */
export function cut(others: string, most: number): string {
  return others.length <= most
    ? others
    : `${others
        .slice(0, most)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`;
}

function oneLine(others: string): string {
  return visible(others.replace(/\s+/g, ' ').trim());
}

/** Text on both sides of code keeps its spaces. */
function ends(plain: string): string[] {
  if (plain === '') return [];
  const [, before = '', after = ''] = /^(\s*).*?(\s*)$/.exec(plain) ?? [];
  return plain.trim() === '' ? [' '] : [`${before}${text(plain)}${after}`];
}

function unpadded(code: string): string {
  return code.startsWith(' ') && code.endsWith(' ') && code.trim() !== '' ? code.slice(1, -1) : code;
}

/** The least of these, which are in descending order, behind an index; those before it are left out for good. */
function nextAfter(indexes: number[], index: number): number | undefined {
  while ((indexes.at(-1) ?? Infinity) <= index) indexes.pop();
  return indexes.at(-1);
}

/** Without the beginning of an HTML comment, which is what our own markers are. */
function escapeComment(line: string): string {
  return line.replaceAll('<!--', `<!${parting}--`);
}

/** Characters of the longest run of backticks. */
function longestRun(line: string): number {
  let longest = 0;
  for (const [run] of line.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}
