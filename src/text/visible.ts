/**
 * Control characters (C0 but the tab, C1, DEL), those that nobody sees or that turn the direction of writing, line separators and halves
 * of characters: what a terminal, a log or a reader's eye takes for something else than text.
 */
const unseen =
  /(?!\t)[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}\p{Default_Ignorable_Code_Point}]/gu;

/** Text in which each of these is an escape that people can read, such as `\x1b`, `\n` or `\u202e`: always one line. */
export function visible(text: string): string {
  return text.replace(unseen, escaped);
}

/** Text in one line, as people read it: a line end is a space. So no name begins a line that looks like one of ours. */
export function oneLine(text: string): string {
  return visible(text.replace(/\s*[\r\n\u2028\u2029]\s*/g, ' '));
}

/** Whether the text has any of these, or a tab, which a terminal takes for a question. */
export function hasUnseen(text: string): boolean {
  return text.includes('\t') || text.search(unseen) >= 0;
}

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  if (code.length > 4) return `\\u{${code}}`;
  return short[character] ?? (code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`);
}
