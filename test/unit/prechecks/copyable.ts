import type { Remedy } from '../../../src/text/remedy.ts';

const program =
  /\b(?:kubectl (?:-n|[a-z])|helm (?:-n|[a-z]+ [A-Z-])|argocd app|flux (?:suspend|resume)|mv \/|chown -)[^`"]*/g;

/**
 * Commands of a remedy that can't be copied as they stand: in words, one that is not between backticks, whatever follows it; on a line of
 * its own, one with punctuation behind it.
 */
export function notCopyable({ text, commands = [] }: Remedy): string[] {
  const lines = commands.flatMap((block) => block.lines);
  const prose = text.split('\n').flatMap((line) => line.split('`').filter((_, index) => index % 2 === 0));
  // A program that is only spoken of stands in quotes.
  const spoken = prose.map((words) => words.replace(/"[^"]*"/g, '""'));
  return [
    ...spoken.flatMap((words) => words.match(program) ?? []),
    ...lines.filter((line) => /[.,!?]$/.test(line)),
    ...(text.split('`').length % 2 === 0 ? ['a backtick without its other one'] : []),
  ];
}
