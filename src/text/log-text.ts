import { visible } from './visible.ts';

/**
 * Text of whomever for the log, in lines, none of which is a command for the runner.
 *
 * The runner reads lines that end with \n, \r or both, from stdout and stderr alike. A command is a line that begins with `::`, behind any
 * white space, or has `##[` anywhere (actions/runner: ProcessInvoker.cs, ActionCommand.cs). It compares by the rules of a culture, which
 * overlook characters that nobody sees: so these are made visible first, and a command is broken by a space. A zero-width character breaks none.
 * Decision: docs/decisions/0026-text-of-others.md
 */
export function logText(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => harmless(visible(line)))
    .join('\n');
}

/** The same in one line, as the titles of groups and annotations have to be. */
export function logTitle(text: string): string {
  return harmless(visible(text));
}

/** `::` at the beginning, whatever without a shape of its own is before or in it. */
const ownCommand = /^([^\p{L}\p{N}\p{P}\p{S}]*:)(?=[\p{M}\p{C}]*:)/u;
/** `##[` anywhere. */
const oldCommand = /#(?=[\p{M}\p{C}]*#[\p{M}\p{C}]*\[)/gu;

function harmless(line: string): string {
  return line.replace(ownCommand, '$1 ').replace(oldCommand, '# ');
}
