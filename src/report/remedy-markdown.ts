import { block, prose } from '../text/markdown.ts';
import { commandsHead, type Remedy } from '../text/remedy.ts';

/** Lines of commands that are shown; more are folded. */
const mostLines = 20;

/**
 * A remedy as lines of Markdown: words as text, commands to be copied as blocks.
 * @param head Markdown before its words
 */
export function remedyMarkdown(head: string, { text, commands = [] }: Remedy): string[] {
  const blocks = commands.flatMap(({ in: program, lines }) => {
    const shown = block('', lines);
    return lines.length <= mostLines
      ? [commandsHead[program], '', ...shown, '']
      : [
          `<details><summary>${commandsHead[program]} ${String(lines.length)} lines</summary>`,
          '',
          ...shown,
          '',
          '</details>',
          '',
        ];
  });
  return [`${head}${prose(text)}`, '', ...blocks];
}
