import { hasUnseen } from './visible.ts';

/** What stands in the place of a command that must not be pasted. */
export const notPasteable =
  '(No command is given here: a name in it has characters that a shell or a terminal would take for something else.)';

/** One word for a POSIX shell; plain words stay plain. */
export function shellQuoted(word: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A command for a POSIX shell: what is written in the template is the command's own, what is put into it is a word, a part of one, or a list of words.
 * @returns `notPasteable` where a word holds control characters or the like, or would be read as an option
 */
export function shell(template: TemplateStringsArray, ...words: readonly (string | readonly string[])[]): string {
  const lists = words.map((word) => (typeof word === 'string' ? [word] : word));
  const isUnsafe = lists.some((list, index) =>
    list.some((word) => hasUnseen(word) || (word.startsWith('-') && /(?:^|\s)$/.test(template[index] ?? ''))),
  );
  return isUnsafe
    ? notPasteable
    : String.raw({ raw: template.raw }, ...lists.map((list) => list.map(shellQuoted).join(' ')));
}

/** Lines that a shell gives to a command, as they are; `notPasteable` where they could end before their end. */
export function hereDocument(command: string, lines: readonly string[]): string {
  return lines.some((line) => line === 'EOF' || hasUnseen(line))
    ? notPasteable
    : `${command} <<'EOF'\n${lines.join('\n')}\nEOF`;
}
