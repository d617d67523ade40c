import { hasUnseen } from './visible.ts';

/** What stands in the place of a command that must not be pasted. */
export const notPasteable =
  '(No command is given here. A name in it has characters that a shell or a terminal would take for something else.)';

/** One word for a POSIX shell; plain words stay plain. */
export function shellQuoted(word: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** An option of a command that is left out where it has no value. */
interface Option {
  readonly option: `--${string}`;
  readonly value: string | undefined;
}

type Part = string | readonly string[] | Option;

/**
 * A command for a POSIX shell: what is written in the template is the command's own, what is put into it is a word, a part of one, a list of words, or an
 * option, which brings the space before it.
 * @returns `notPasteable` where a word holds control characters or the like, or would be read as an option
 */
export function shell(template: TemplateStringsArray, ...parts: readonly Part[]): string {
  const isUnsafe = parts.some((part, index) =>
    wordsOf(part).some(
      (word) =>
        hasUnseen(word) || (word.startsWith('-') && (isOption(part) || /(?:^|\s)$/.test(template[index] ?? ''))),
    ),
  );
  return isUnsafe ? notPasteable : String.raw({ raw: template.raw }, ...parts.map(written));
}

function written(part: Part): string {
  const words = wordsOf(part).map(shellQuoted).join(' ');
  return isOption(part) && words !== '' ? ` ${part.option} ${words}` : words;
}

function wordsOf(part: Part): readonly string[] {
  if (typeof part === 'string') return [part];
  if (!isOption(part)) return part;
  return part.value === undefined ? [] : [part.value];
}

function isOption(part: Part): part is Option {
  return typeof part === 'object' && 'option' in part;
}

/** Lines that a shell gives to a command, as they are; `notPasteable` where they could end before their end. */
export function hereDocument(command: string, lines: readonly string[]): string {
  return lines.some((line) => line === 'EOF' || hasUnseen(line))
    ? notPasteable
    : `${command} <<'EOF'\n${lines.join('\n')}\nEOF`;
}
