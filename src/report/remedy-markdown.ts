import { remedyParts } from '../text/commands.ts';
import { block, prose } from '../text/markdown.ts';

/**
 * A remedy as lines of Markdown: words as text, commands to be copied as a block.
 * @param head Markdown before its words
 */
export function remedyMarkdown(head: string, remedy: string): string[] {
  const { words, mark, commands } = remedyParts(remedy);
  const sentences = `${head}${prose(words)}`;
  return commands === undefined
    ? [sentences, '']
    : [`${sentences} ${mark}`, '', ...block('', commands.split('\n')), ''];
}
