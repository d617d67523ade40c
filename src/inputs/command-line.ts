import { parseArgs } from 'node:util';
import { ConfigurationError } from '../common/errors.ts';
import { inputName } from '../common/input-name.ts';
import { nearestInput } from './input-advice.ts';
import type { Input } from './input-types.ts';
import { inputTable } from './inputs.ts';

/** What the command line asks for. */
export type CommandLine =
  | { readonly asks: 'help' | 'version' }
  /** Texts of inputs, by their names. */
  | { readonly asks: 'run'; readonly inputs: Readonly<Record<string, string>> };

const table = Object.entries(inputTable).map(([key, input]): [string, Input<unknown>] => [inputName(key), input]);
const isSwitch = ({ type }: Input<unknown>) => type === 'true | false';
const options = Object.fromEntries(
  [
    ...table.map(([name, input]) => [name, isSwitch(input)] as const),
    ['help', true] as const,
    ['version', true] as const,
  ].map(([name, isOn]) => [name, { type: isOn ? 'boolean' : 'string' } as const]),
);

/**
 * Reads flags: each is an input of the action, by its name. Their values are texts, as a workflow would give them.
 * @param words what stands behind the program's name
 * @throws ConfigurationError for what is no flag, lacks its value, comes twice, or would show a secret
 * Decision: docs/decisions/0025-inputs-and-events.md
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const { values, tokens } = parsed(words);
  const names = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined)
    throw new ConfigurationError(
      'flag-repeated',
      `The flag "--${repeated}" is given ${String(names.filter((name) => name === repeated).length)} times.`,
      `Give "--${repeated}" once. An input of several lines is one value with line ends.`,
    );
  if (values['help'] === true) return { asks: 'help' };
  if (values['version'] === true) return { asks: 'version' };
  const inputs = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  expectNoSecret(inputs);
  return { asks: 'run', inputs };
}

/**
 * Runners bring the Node that action.yml names; people start any.
 * @param version such as 24.1.0
 * @throws ConfigurationError
 */
export function expectNode(version: string): void {
  if (Number(version.split('.')[0]) >= 24) return;
  throw new ConfigurationError(
    'node-too-old',
    `This is Node ${version}, and the action needs Node 24 or newer.`,
    'Install Node 24, or run it in the image node:24.',
  );
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options, strict: true, allowNegative: true, tokens: true });
  } catch (error) {
    throw refused(error as NodeJS.ErrnoException);
  }
}

/** What parseArgs refuses, without the values: one of them may be a secret that stands in a wrong place. */
function refused({ code, message }: NodeJS.ErrnoException): ConfigurationError {
  const flag = /'(?:-\w, )?(-[^' =<]*)/.exec(message)?.[1] ?? '';
  const name = flag.replace(/^-+/, '');
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const nearest = nearestInput(name);
    return new ConfigurationError(
      'flag-unknown',
      `There is no flag "${flag}"${nearest === undefined ? '' : `; the nearest is "--${nearest}"`}.`,
      nearest === undefined ? 'Run "node dist/index.js --help" for a list of all flags.' : `Write "--${nearest}".`,
    );
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
    return options[name.replace(/^no-/, '')]?.type === 'boolean'
      ? new ConfigurationError(
          'flag-value',
          `The flag "${flag}" takes no value.`,
          `Write "--${name}" for true, or "--no-${name}" for false.`,
        )
      : new ConfigurationError(
          'flag-value',
          `The flag "${flag}" lacks its value.`,
          `Write "${flag} VALUE". A value that begins with "-" is written "${flag}=VALUE".`,
        );
  return new ConfigurationError(
    'flag-unknown',
    'A word of the command line is neither a flag nor the value of one.',
    'Write each input as "--NAME VALUE", with quotes around a value that has spaces. Run "node dist/index.js --help" for a list of all flags.',
  );
}

/** Every user of the machine can read the arguments of a process. */
function expectNoSecret(inputs: Readonly<Record<string, string>>): void {
  if (inputs['github-token'] !== undefined)
    throw new ConfigurationError(
      'flag-secret',
      'The flag "--github-token" is not taken: every user of this machine can read the arguments of a process.',
      'Set the environment variable GITHUB_TOKEN, and replace the token if other people use this machine.',
    );
  const kubeconfig = inputs['kubeconfig'] ?? '';
  if (kubeconfig.includes('\n') || kubeconfig.trimStart().startsWith('{'))
    throw new ConfigurationError(
      'flag-secret',
      'The flag "--kubeconfig" takes a path, and got the content of a kubeconfig. Every user of this machine can read the arguments of a process.',
      'Give the path of a file that only you can read, or set the environment variable KUBECONFIG to that path. Replace the credentials if other people use this machine.',
    );
}

/** The first line of a log. */
export function nameWithVersion(version: string): string {
  return `CircleCI Server PostgreSQL upgrade ${version}`;
}

/** What `--help` prints: all flags from the table of inputs. */
export function helpText(version: string): string {
  const flags = table
    .filter(([name]) => name !== 'github-token')
    .flatMap(([name, input]) => [
      `  --${name}${isSwitch(input) ? '' : ` ${valueName(name, input)}`}${aside(input)}`,
      ...wrapped(input.description.replaceAll('`', '"'), '      '),
    ]);
  return [
    nameWithVersion(version),
    '',
    'Usage: node dist/index.js --namespace NAMESPACE [FLAG...]',
    '',
    '  node dist/index.js --namespace circleci-server',
    '      Asks every check, and changes nothing.',
    '  node dist/index.js --namespace circleci-server --mode upgrade --dry-run',
    '      Shows what an upgrade would do.',
    '  node dist/index.js --namespace circleci-server --mode upgrade --confirm circleci-server',
    '      Upgrades.',
    '',
    'Flags (the inputs of the action; write --no-NAME for one that is to be false):',
    '',
    ...flags,
    '  --help, --version',
    '',
    'Secrets are never flags, since every user of the machine can read those:',
    ...wrapped(
      'The kubeconfig is a file: its path is in --kubeconfig or in the environment variable KUBECONFIG. In a pod of the cluster neither is needed: the service account of the pod is used.',
      '  ',
    ),
    ...wrapped(
      'The token for GitHub is in the environment variable GITHUB_TOKEN. Only --values-file and --issue need it, together with GITHUB_REPOSITORY (owner/name).',
      '  ',
    ),
    '',
    'Exit codes:',
    '  0  The run did what its mode is for.',
    ...wrapped('A precheck: no check blocks the upgrade. Status: the state is known, whatever it is.', '     '),
    '  1  Anything else.',
    ...wrapped(
      'A flag is wrong, a check blocks the upgrade, or the run failed, was reverted or was interrupted. The last line with "error:" says why, and what to do. The output "verdict" tells these ends apart.',
      '     ',
    ),
    '',
    'At its end a run lists its outputs, among them the path of the JSON report.',
    'docs/outside-github.md says more.',
  ].join('\n');
}

function valueName(name: string, { type }: Input<unknown>): string {
  if (name === 'kubeconfig') return 'PATH';
  return type.includes(' | ') ? type.replaceAll(' ', '') : type.toUpperCase().replaceAll(' ', '-');
}

function aside({ required, default: standard }: Input<unknown>): string {
  if (required) return '  (required)';
  return standard === '' ? '' : `  (default: ${standard})`;
}

/** Lines of at most 100 characters, as far as the words allow it. */
function wrapped(text: string, indent: string): string[] {
  const lines = [indent.trimEnd()];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > 100) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = line === '' ? `${indent}${word}` : `${line} ${word}`;
  }
  return lines;
}
