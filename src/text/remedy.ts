import { isPasteable } from './psql.ts';
import { notPasteable } from './shell.ts';
import { shortened } from './shortened.ts';

// Decision: docs/decisions/0018-checks.md

/** What to do: in words, and by commands to be copied. */
export interface Remedy {
  /** Sentences. What is between backticks in them is to be copied as it stands. */
  readonly text: string;
  /** In the order in which they are given. */
  readonly commands?: readonly Commands[];
}

/** Commands for one program. */
export interface Commands {
  readonly in: 'shell' | 'psql';
  /** To be copied together: a command may go over several lines. */
  readonly lines: readonly string[];
}

/** A remedy of words alone, or one as it is. */
export function remedyOf(remedy: string | Remedy): Remedy {
  return typeof remedy === 'string' ? { text: remedy } : remedy;
}

/** A remedy with a sentence before its own. */
export function remedyAfter(sentence: string, remedy: Remedy): Remedy {
  return { ...remedy, text: `${sentence} ${remedy.text}` };
}

/**
 * A remedy by commands for a shell.
 * @param commands those that are `notPasteable` are left out, which the text then says
 */
export function shellRemedy(text: string, ...commands: readonly string[]): Remedy {
  const given = commands.filter((command) => command !== notPasteable);
  return remedyBy('shell', text, linesOf(given), given.length < commands.length);
}

/**
 * What each printed session begins with: the owner of a database may have stored for it where names are looked for, and how literals are read. Functions and
 * operators of theirs would then be called by whoever pastes the commands, with the rights of a superuser.
 */
export const sessionStart = 'SET search_path = pg_catalog, pg_temp; SET standard_conforming_strings = on;';

/**
 * A remedy by commands for psql. Behind each command that goes to a database there is `sessionStart`.
 * @param sessions in each, the first command goes to a database, and no other one is given without it
 */
export function psqlRemedy(text: string, sessions: readonly (readonly string[])[]): Remedy {
  const given = sessions.map(([connect = '', ...commands]) =>
    isPasteable(connect) ? [connect, ...commands.filter(isPasteable)] : [],
  );
  const isCut = given.some((commands, index) => commands.length !== sessions[index]?.length);
  const lines = linesOf(given.filter((commands) => commands.length > 1).flat());
  const begun = lines.flatMap((line) => (line.startsWith('\\connect ') ? [line, sessionStart] : [line]));
  return remedyBy('psql', text, begun, isCut);
}

function remedyBy(program: Commands['in'], text: string, lines: readonly string[], isCut: boolean): Remedy {
  return {
    text: isCut ? `${text} ${notPasteable}` : text,
    ...(lines.length === 0 ? {} : { commands: [{ in: program, lines }] }),
  };
}

function linesOf(commands: readonly string[]): string[] {
  return commands.flatMap((command) => command.split('\n'));
}

/**
 * As much of a remedy as a place has room for. Of its commands no half is given, which might do something else; what is left out is said.
 * @param most characters
 * @param where the rest is, if anywhere: `, in the log`
 */
export function remedyWithin({ text, commands = [] }: Remedy, most: number, where = ''): Remedy {
  const words = shortened(text, most, where);
  let room = most - words.length;
  let left = 0;
  const given: Commands[] = [];
  for (const { in: program, lines } of commands) {
    const whole = wholeCommands(program, lines, room);
    room -= whole.join('\n').length;
    left += lines.length - whole.length;
    if (whole.length > 0) given.push({ in: program, lines: whole });
  }
  return {
    text: left > 0 ? `${words} … (${String(left)} more lines of commands${where})` : words,
    ...(given.length === 0 ? {} : { commands: given }),
  };
}

/** What psql is given ends where a statement does; lines for a shell belong together. */
function wholeCommands(program: Commands['in'], lines: readonly string[], room: number): readonly string[] {
  let length = 0;
  const left = lines.findIndex((line) => (length += line.length + 1) > room);
  if (left === -1) return lines;
  const last = program === 'shell' ? -1 : lines.slice(0, left).findLastIndex((line) => line.endsWith(';'));
  return lines.slice(0, last + 1);
}

/** What stands before commands. */
export const commandsHead: Readonly<Record<Commands['in'], string>> = {
  shell: 'In a shell:',
  psql: 'In psql in the pod of the server, as the superuser:',
};

/** A remedy as plain text; its commands have lines of their own at the end. */
export function remedyText({ text, commands = [] }: Remedy): string {
  return [text, ...commands.flatMap((block) => [commandsHead[block.in], ...block.lines])].join('\n');
}
