import { codeSpan } from './markdown.ts';
import { notPasteable } from './shell.ts';

/** What is to be copied, in the middle of a sentence: whatever follows is no part of it. */
export function copyable(command: string): string {
  return command === notPasteable ? command : codeSpan(command);
}
