import { hasUnseen } from './visible.ts';

/**
 * Whether commands for psql can be pasted: their lines end outside of quotes alone, and nothing else in them moves a terminal. A name with a
 * line end would be read as another line by psql's own commands, and one with `=` or `://` as the address of another server by \\connect.
 */
export function isPasteable(commands: string): boolean {
  if (/^\\connect +"[^\n]*(?:=|:\/\/)/m.test(commands)) return false;
  let quote = '';
  // Quotes are doubled within quotes, so that each pair closes and opens again.
  for (const [character] of commands.matchAll(/['"\n]/g)) {
    if (character !== '\n') quote = quote === '' ? character : quote === character ? '' : quote;
    else if (quote !== '') return false;
  }
  return !hasUnseen(commands.replaceAll('\n', ''));
}
