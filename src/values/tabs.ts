import type { Edit } from './edit.ts';
import { lineEnd } from './position.ts';
import { refusal } from './refusal.ts';
import type { Source } from './source.ts';

/**
 * Helm's parser takes a comment or an empty line that is indented by a tab only as the end of an unquoted value. Where that
 * is no longer what stands above it, the whole file could not be read any more; other parsers do not mind.
 * @throws ConfigurationError when there is such a line below an edit
 */
export function refuseTabsBelow(source: Source, edits: readonly Edit[]): void {
  for (const edit of edits.filter((one) => !keepsStyle(source.text, one))) {
    const below = source.text.slice(lineEnd(source.text, edit.end));
    const lines = /^(?:\r?\n[ \t]*(?:#[^\n]*?)?(?=\r?\n|$))*/.exec(below)?.[0] ?? '';
    const tab = /\n *\t/.exec(lines);
    if (tab === null) continue;
    const at = lineEnd(source.text, edit.end) + tab.index + tab[0].length - 1;
    const remedy = 'Replace the tab by spaces, or remove the line.';
    throw refusal(
      source,
      at,
      'tab',
      'Helm can not read a line that is indented by a tab after a new or quoted value',
      remedy,
    );
  }
}

/** Whether one unquoted value takes the place of another, or a quoted one of a quoted one. */
function keepsStyle(text: string, { start, end, text: added }: Edit): boolean {
  return start !== end && added !== '' && !added.includes('\n') && isQuoted(text.slice(start)) === isQuoted(added);
}

const isQuoted = (text: string) => /^["']/.test(text);
