import { longestRun } from './markdown.ts';
import { notPasteable } from './shell.ts';

/** What is to be copied, in the middle of a sentence: whatever follows is no part of it. Fenced by more backticks than it has. */
export function copyable(command: string): string {
  if (command === notPasteable) return command;
  const fence = '`'.repeat(1 + longestRun(command));
  const pad = command.startsWith('`') || command.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${command}${pad}${fence}`;
}
