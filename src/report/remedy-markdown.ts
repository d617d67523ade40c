import { block, prose } from '../text/markdown.ts';
import { commandsHead, type Remedy } from '../text/remedy.ts';

/**
 * A remedy as lines of Markdown: words as text, commands to be copied as blocks.
 * @param head Markdown before its words
 */
export function remedyMarkdown(head: string, { text, commands = [] }: Remedy): string[] {
  const blocks = commands.flatMap(({ in: program, lines }) => [commandsHead[program], '', ...block('', lines), '']);
  return [`${head}${prose(text)}`, '', ...blocks];
}
