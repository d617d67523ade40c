/** Text of others in Markdown: nothing in it is markup, a mention or a reference. */
export function plain(text: string): string {
  return oneLine(text)
    .replace(/[&<>@#]/g, (c) => `&#${String(c.charCodeAt(0))};`)
    .replace(/[\\`*_{}[\]()+!|~-]/g, '\\$&');
}

/** Text as inline code, whatever backticks it holds. */
export function code(text: string): string {
  const line = inert(oneLine(text));
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || line === '' ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A block that nothing in it can end. */
export function block(language: string, lines: readonly string[]): string {
  const text = lines.map((line) => inert(line.replace(/[\r\n]+/g, ' ').slice(0, 500))).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}

/** Without the beginning of an HTML comment, which is what our own markers are. */
function inert(text: string): string {
  return text.replaceAll('<!--', '<!\u200b--');
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
