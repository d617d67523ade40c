import { longestRun } from './markdown.ts';
import { isPasteable } from './psql.ts';
import { notPasteable } from './shell.ts';

// Commands in a remedy: between backticks in a sentence, or on lines of their own at its end.
// Decision: docs/decisions/0018-checks.md

/** A line of a remedy: after it there is nothing but what is to be copied. */
export const inPsql = 'In psql:';
export const inShell = 'In a shell:';

/** What is to be copied, in the middle of a sentence: whatever follows is no part of it. Fenced by more backticks than it has. */
export function copyable(command: string): string {
  if (command === notPasteable) return command;
  const fence = '`'.repeat(1 + longestRun(command));
  const pad = command.startsWith('`') || command.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${command}${pad}${fence}`;
}

/** The end of a remedy: commands for a shell. */
export function shellLines(...commands: readonly string[]): string {
  return ended(
    inShell,
    commands.filter((command) => command !== notPasteable),
    commands.includes(notPasteable),
  );
}

/**
 * What each printed session begins with: the owner of a database may have stored for it where names are looked for, and how literals are read. Functions and
 * operators of theirs would then be called by whoever pastes the commands, with the rights of a superuser.
 */
export const sessionStart = 'SET search_path = pg_catalog, pg_temp; SET standard_conforming_strings = on;';

/**
 * The end of a remedy: commands for psql. Behind each command that goes to a database there is `sessionStart`.
 * @param sessions in each, the first command goes to a database, and no other one is given without it
 */
export function psqlLines(sessions: readonly (readonly string[])[]): string {
  const given = sessions.map(([connect = '', ...commands]) =>
    isPasteable(connect) ? [connect, ...commands.filter(isPasteable)] : [],
  );
  const isWhole = given.every((commands, index) => commands.length === sessions[index]?.length);
  const lines = given.filter((commands) => commands.length > 1).flatMap((commands) => commands.join('\n').split('\n'));
  return ended(
    inPsql,
    lines.flatMap((line) => (line.startsWith('\\connect ') ? [line, sessionStart] : [line])),
    !isWhole,
  );
}

function ended(mark: string, commands: readonly string[], isCut: boolean): string {
  return `${isCut ? ` ${notPasteable}` : ''}${commands.length === 0 ? '' : `\n${mark}\n${commands.join('\n')}`}`;
}

/** A remedy as words, and the commands at its end with the line before them. */
export function remedyParts(remedy: string): { words: string; mark: string; commands: string | undefined } {
  const mark = [inPsql, inShell].find((one) => remedy.includes(`\n${one}\n`)) ?? '';
  if (mark === '') return { words: remedy, mark, commands: undefined };
  const at = remedy.indexOf(`\n${mark}\n`);
  return { words: remedy.slice(0, at), mark, commands: remedy.slice(at + mark.length + 2) };
}
