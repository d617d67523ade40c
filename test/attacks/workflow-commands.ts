/** Commands that the runner registers (actions/runner, ActionCommandManager.cs and the classes that implement IActionCommandExtension). */
const registered = new Set([
  ...['stop-commands', 'internal-set-repo-path', 'set-env', 'set-output', 'save-state', 'add-path', 'add-mask'],
  ...['add-matcher', 'remove-matcher', 'debug', 'warning', 'error', 'notice', 'group', 'endgroup', 'echo'],
]);

/** What .NET's String.TrimStart takes away: other characters than JavaScript's \s. */
const whiteSpace = /^[\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

export interface Command {
  readonly name: string;
  readonly line: string;
}

/**
 * The commands which the runner takes from what a process prints, by the rules of actions/runner: lines as StreamReader.ReadLine ends them
 * (ProcessInvoker.cs), `::name …::` at their beginning, else `##[name …]` anywhere (ActionCommand.cs: TryParseV2, TryParse).
 * Its comparisons of strings go by the culture, where ICU overlooks characters without a weight: so each line is read with them and without.
 */
export function commandsIn(output: string): Command[] {
  return output.split(/\r\n|\r|\n/).flatMap((line) => {
    const weighty = line.replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
    const name = commandOf(line) ?? commandOf(weighty);
    return name === undefined ? [] : [{ name, line }];
  });
}

/** The lines with commands that the action does not give by itself, in the log of a run whose world tries to have it say "forged". */
export function forgedIn(output: string): string[] {
  const own = ['add-mask', 'group', 'endgroup', 'notice', 'warning', 'error', 'debug'];
  return commandsIn(output)
    .filter(({ name, line }) => !own.includes(name) || line.includes('forged'))
    .map(({ line }) => line);
}

function commandOf(line: string): string | undefined {
  return known(newForm(line.replace(whiteSpace, ''))) ?? known(oldForm(line));
}

function newForm(line: string): string | undefined {
  const end = line.indexOf('::', 2);
  return line.startsWith('::') && end >= 0 ? line.slice(2, end) : undefined;
}

function oldForm(line: string): string | undefined {
  const start = line.indexOf('##[');
  const end = line.indexOf(']', start);
  return start >= 0 && end >= 0 ? line.slice(start + 3, end) : undefined;
}

function known(command: string | undefined): string | undefined {
  const name = command?.split(' ')[0]?.toLowerCase();
  return name !== undefined && registered.has(name) ? name : undefined;
}
