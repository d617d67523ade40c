import { inPsql, inShell } from '../../../src/findings/finding.ts';

const program =
  /\b(?:kubectl (?:-n|[a-z])|helm (?:-n|[a-z]+ [A-Z-])|argocd app|flux (?:suspend|resume)|mv \/|chown -)[^`"]*/g;

/**
 * Commands of a remedy that can't be copied as they stand: in words, one that is not between backticks, whatever follows it; on a line of
 * its own, one with punctuation behind it.
 */
export function notCopyable(remedy: string): string[] {
  const lines = remedy.split('\n');
  const mark = lines.findIndex((line) => line === inPsql || line === inShell);
  const words = mark === -1 ? lines : lines.slice(0, mark);
  const commands = mark === -1 ? [] : lines.slice(mark + 1);
  const prose = words.flatMap((line) => line.split('`').filter((_, index) => index % 2 === 0));
  // A program that is only spoken of stands in quotes.
  const spoken = prose.map((text) => text.replace(/"[^"]*"/g, '""'));
  return [
    ...spoken.flatMap((text) => text.match(program) ?? []),
    ...commands.filter((line) => /[.,!?]$/.test(line)),
    ...(words.join('\n').split('`').length % 2 === 0 ? ['a backtick without its other one'] : []),
  ];
}
