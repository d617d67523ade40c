import { ConfigurationError } from '../common/errors.ts';
import type { Input, Mode } from './input-types.ts';
import { inputTable, type Inputs } from './inputs.ts';
import { inputName } from '../common/input-name.ts';
import { riskOfIgnoring } from './ignore.ts';
import { selectsTheRest } from './selector-text.ts';
import { upgrade } from '../common/versions.ts';

/** The text of an input by its name, '' when it is not given. */
type Read = (name: string) => string;

const table = new Map<string, Input<unknown>>(
  Object.entries(inputTable).map(([key, input]) => [inputName(key), input]),
);

/**
 * Finds inputs that the workflow gives and the action does not have: GitHub only remarks on them, and a mistyped `dry-run` would be an upgrade.
 * @param given names of all inputs that the workflow gives
 * @returns names that are like no input's
 * @throws ConfigurationError for one that looks like an input's name
 */
export function unknownInputs(given: readonly string[]): string[] {
  const unknown = given.filter((name) => !table.has(name)).map((name) => name.slice(0, 100));
  for (const name of unknown) {
    const nearest = nearestInput(name);
    if (nearest === undefined) continue;
    throw new ConfigurationError(
      'input-unknown',
      `There is no input ${JSON.stringify(name)}; the nearest is "${nearest}".`,
      `Write "${nearest}:" instead (under "with:" in the workflow), or remove it.`,
    );
  }
  return unknown;
}

/** The input whose name is like this one. */
export function nearestInput(name: string): string | undefined {
  return [...table.keys()].find((one) => isLike(name, one));
}

/** Two slips of the finger, in short names one; and "_" or nothing in the place of "-". */
function isLike(name: string, known: string): boolean {
  const [a, b] = [name, known].map((text) => text.replace(/[-_. ]/g, '')) as [string, string];
  return distance(a, b) <= (b.length < 6 ? 1 : 2);
}

/** How many characters have to be put in, taken out or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (letter === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** What the workflow gives and the run does not use. */
export interface Unused {
  /** What asks for something or agrees to it, and what lacks another input: sentences for a warning. */
  readonly warnings: readonly string[];
  /** Names of what is only for other modes: a workflow may serve several. */
  readonly otherModes: readonly string[];
}

/** Compares the inputs that are given with what the mode uses. */
export function unusedInputs(read: Read, mode: Mode): Unused {
  const given = [...table].filter(([name]) => isGiven(name, read));
  const others = given.filter(([, input]) => !input.modes.includes(mode));
  const consents = others.filter(([, input]) => input.isConsent).map(([name]) => `"${name}"`);
  const lacking = given.filter(
    ([, { modes, needs }]) =>
      modes.includes(mode) && needs.length > 0 && !needs.some((condition) => holds(condition, read)),
  );
  return {
    warnings: [
      ...(consents.length === 0 ? [] : [`"mode: ${mode}" does not use ${consents.join(', ')}: no effect in this run.`]),
      ...lacking.map(
        ([name, { needs }]) =>
          `"${name}" is used only with ${needs.map((condition) => `"${condition}"`).join(' or ')}: no effect in this run.`,
      ),
    ],
    otherModes: others.filter(([, input]) => !input.isConsent).map(([name]) => name),
  };
}

function isGiven(name: string, read: Read): boolean {
  const standard = table.get(name)?.default ?? '';
  // GitHub has put another text in the place of an expression.
  if (standard.startsWith('${{')) return false;
  return textOf(name, read) !== standard;
}

function textOf(name: string, read: Read): string {
  const text = read(name).trim() || (table.get(name)?.default ?? '');
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text;
}

/** @param condition `name` or `name: value` */
function holds(condition: string, read: Read): boolean {
  const [name = '', value] = condition.split(': ');
  return value === undefined ? isGiven(name, read) : textOf(name, read) === value;
}

/** Inputs that are right each by itself, and that a careful reader would ask about. */
export function dubiousInputs(inputs: Inputs): string[] {
  const { applicationSelector, imageTag, probes, ignoreChecks } = inputs;
  const isChecking = inputTable.ignoreChecks.modes.includes(inputs.mode);
  return [
    ...(selectsTheRest(applicationSelector)
      ? [
          `"application-selector" is "${applicationSelector}", which selects all but a few workloads of the namespace: the action would stop all of those. Select the applications only, for example by layer=application.`,
        ]
      : []),
    ...(isChecking && probes === 'none' && imageTag !== '' && !imageTag.startsWith(`${String(upgrade.to)}.`)
      ? [
          `"image-tag" is "${imageTag}", which does not say that it is PostgreSQL ${String(upgrade.to)}. With "probes: none" the action does not look into the image before the downtime.`,
        ]
      : []),
    ...(isChecking
      ? [...ignoreChecks.keys()].flatMap((id) => {
          const risk = riskOfIgnoring(id);
          return risk === undefined ? [] : [`"ignore-checks" names ${id}: ${risk}`];
        })
      : []),
  ];
}
