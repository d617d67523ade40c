// What the runner understands of a step's output: https://docs.github.com/actions/reference/workflow-commands-for-github-actions

export interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** The workflow commands in a step's output, in their order. */
export function parseCommands(output: string): Command[] {
  return [...output.matchAll(/^::([a-z-]+)(?: ([^\n]*?))?::([^\n]*)$/gm)].map(([, name = '', properties, message]) => ({
    name,
    properties: Object.fromEntries(
      (properties ?? '')
        .split(',')
        .filter((pair) => pair !== '')
        .map((pair) => [pair.slice(0, pair.indexOf('=')), unescapeProperty(pair.slice(pair.indexOf('=') + 1))]),
    ),
    message: unescapeData(message ?? ''),
  }));
}

/** A step's output without the secrets that it has the runner mask: these lines nobody sees. */
export function withoutMasks(output: string): string {
  return output.replace(/^::add-mask::.*\n/gm, '');
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
}

/** Titles of the groups; groups don't nest, and each is closed. */
export function groupTitles(commands: readonly Command[]): string[] {
  const titles: string[] = [];
  let open: string | undefined;
  for (const { name, message } of commands) {
    if (name === 'group') {
      if (open !== undefined) throw new Error(`group "${message}" begins inside of "${open}"`);
      titles.push((open = message));
    } else if (name === 'endgroup') {
      if (open === undefined) throw new Error('a group ends that never began');
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`group "${open}" is never closed`);
  return titles;
}

/** The values in a file of the form name<<delimiter, value, delimiter, as GITHUB_OUTPUT takes them. */
export function parseValues(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\S+?)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name = '', , value = '']) => [name, value]),
  );
}
