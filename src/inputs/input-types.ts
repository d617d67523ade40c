import { ConfigurationError } from '../common/errors.ts';

export const modes = ['precheck', 'rehearse', 'upgrade', 'status', 'rollback', 'cleanup', 'values'] as const;
export type Mode = (typeof modes)[number];

/** One input of the action: how it is documented, who uses it and how its text is read. */
export interface Input<T> {
  readonly description: string;
  /** What GitHub passes when the workflow does not name the input. */
  readonly default: string;
  readonly required: boolean;
  /** Shown in docs/inputs.md, for example `duration`. */
  readonly type: string;
  /** Modes that use it. */
  readonly modes: readonly Mode[];
  /** Conditions, one of which must hold for it to be used: `name` (another input is given) or `name: value`. None: it is used anyway. */
  readonly needs: readonly string[];
  /** Whether it asks for something to be done or agrees to it: a run that does not use it then gives a warning. */
  readonly isConsent: boolean;
  /** @throws ConfigurationError naming the input, what it holds and what it takes. */
  parse(text: string, name: string): T;
}

export interface Spec {
  readonly description: string;
  readonly default?: string;
  readonly required?: boolean;
  /** Every mode, where it is missing. */
  readonly modes?: readonly Mode[];
  readonly needs?: readonly string[];
  readonly isConsent?: boolean;
}

/** What holds for the texts of a type, before anything else is looked at. */
interface Bounds {
  /** Characters. */
  readonly longest: number;
  /** Whether it may have several lines. */
  readonly hasLines?: boolean;
  /** Never shown, not even a part. */
  readonly isSecret?: boolean;
}

function input<T>(type: string, bounds: Bounds, spec: Spec, parse: Input<T>['parse']): Input<T> {
  return {
    type,
    description: spec.description,
    default: spec.default ?? '',
    required: spec.required ?? false,
    modes: spec.modes ?? modes,
    needs: spec.needs ?? [],
    isConsent: spec.isConsent ?? false,
    parse(text, name) {
      if (text === '' && spec.required) {
        throw new ConfigurationError(
          'input-missing',
          `Input "${name}" is required.`,
          `Set "with: ${name}:" in the workflow. ${spec.description}`,
        );
      }
      bound(text, name, bounds);
      return parse(text, name);
    },
  };
}

const controlCharacter = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** The same, without tabs and line ends. */
const controlInLines = /(?![\t\n\r])[\p{Cc}\p{Zl}\p{Zp}]/u;

/** @throws ConfigurationError */
function bound(text: string, name: string, { longest, hasLines = false, isSecret = false }: Bounds): void {
  if (text.length > longest)
    throw new ConfigurationError(
      'input-invalid',
      `Input "${name}" has ${String(text.length)} characters, and takes at most ${String(longest)}.`,
      `Set "${name}" to a text of at most ${String(longest)} characters.`,
    );
  if (!(hasLines ? controlInLines : controlCharacter).test(text)) return;
  const takes = hasLines ? 'a text without control characters' : 'one line without control characters';
  throw isSecret ? invalidSecret(name, takes) : invalid(name, text, takes);
}

function invalid(name: string, text: string, takes: string): ConfigurationError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new ConfigurationError(
    'input-invalid',
    `Input "${name}" is ${JSON.stringify(shown)}, which is not ${takes}.`,
    `Set "${name}" to ${takes}.`,
  );
}

function invalidSecret(name: string, takes: string): ConfigurationError {
  return new ConfigurationError('input-invalid', `Input "${name}" is not ${takes}.`, `Set "${name}" to ${takes}.`);
}

/** Any text of one line, as it is. */
export function text(spec: Spec): Input<string> {
  return input('text', { longest: 1000 }, spec, (value) => value);
}

/** A text of several lines that may hold secrets. */
export function secretDocument(spec: Spec): Input<string> {
  return input('text', { longest: 1_000_000, hasLines: true, isSecret: true }, spec, (value) => value);
}

/** A text of several lines that means something. */
export function document<T>(type: string, spec: Spec, parse: Input<T>['parse']): Input<T> {
  return input(type, { longest: 20_000, hasLines: true }, spec, parse);
}

/** A secret whose default is an expression which only the runner can evaluate; where the expression itself comes, nothing evaluated it. */
export function secret(spec: Spec): Input<string> {
  return input('secret', { longest: 10_000, hasLines: true, isSecret: true }, spec, (value, name) => {
    if (value.startsWith('${{')) return '';
    if (!/^[\x21-\x7e]*$/.test(value)) throw invalidSecret(name, 'one word of printable ASCII, without line ends');
    return value;
  });
}

/** A script of several lines. It may hold what nobody is to read, so it is never shown. Empty means "not given". */
export function script(language: string, spec: Spec): Input<string> {
  return input(language, { longest: 20_000, hasLines: true, isSecret: true }, spec, (value) => value);
}

/** Text that a pattern describes; empty means "not given". */
export function pattern(type: string, expression: RegExp, takes: string, spec: Spec): Input<string> {
  return input(type, { longest: 512 }, spec, (value, name) => {
    if (value !== '' && !expression.test(value)) throw invalid(name, value, takes);
    return value;
  });
}

/** Text that a function of its own checks; empty means "not given". */
export function checked(type: string, check: (text: string, name: string) => void, spec: Spec): Input<string> {
  return input(type, { longest: 1000 }, spec, (value, name) => {
    if (value !== '') check(value, name);
    return value;
  });
}

/** Text of one line that means something. */
export function parsed<T>(type: string, parse: Input<T>['parse'], spec: Spec): Input<T> {
  return input(type, { longest: 1000 }, spec, parse);
}

/** The name of a Kubernetes object: RFC 1123 labels joined by dots, at most 253 characters. */
export function objectName(spec: Spec): Input<string> {
  const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
  return pattern(
    'name',
    new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`),
    'the name of a Kubernetes object (lower-case letters, digits, "-" and ".")',
    spec,
  );
}

/** `none` or the name of an object; none is the empty string afterwards. */
export function objectNameOrNone(spec: Spec): Input<string> {
  const name = objectName(spec);
  return { ...name, parse: (text, input) => (text === 'none' ? '' : name.parse(text, input)) };
}

/** The name of a namespace: an RFC 1123 label, at most 63 characters. */
export function namespaceName(spec: Spec): Input<string> {
  const takes = 'the name of a namespace (at most 63 lower-case letters, digits and "-")';
  return pattern('name', /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, takes, spec);
}

/** One of a few words. */
export function choice<const W extends string>(words: readonly W[], spec: Spec): Input<W> {
  const takes = `one of: ${words.join(', ')}`;
  return input(words.join(' | '), { longest: 512 }, spec, (value, name) => {
    const word = words.find((w) => w === value);
    if (word === undefined) throw invalid(name, value, takes);
    return word;
  });
}

/**
 * Milliseconds. GitHub ends a job on a self-hosted runner after five days (https://docs.github.com/en/actions/reference/limits), and a timer
 * of Node that is to last longer than 2³¹ ms ends at once.
 */
export const longestDuration = 120 * 3_600_000;

/** A length of time such as `90s`, `10m` or `1h30m`, in milliseconds. */
export function duration(spec: Spec): Input<number> {
  return input('duration', { longest: 512 }, spec, parseDuration);
}

/** The same, of at least so many hours. */
export function durationOfHours(least: number, spec: Spec): Input<number> {
  return input('duration', { longest: 512 }, spec, (value, name) => {
    const milliseconds = parseDuration(value, name);
    if (milliseconds < least * 3_600_000)
      throw invalid(name, value, `a length of time of at least ${String(least)}h, such as 48h`);
    return milliseconds;
  });
}

/** The same, where no time at all is a meaning too. */
export function durationOrNone(spec: Spec): Input<number> {
  const parse = (text: string, name: string) => (text === '0s' ? 0 : parseDuration(text, name));
  return input('duration or 0s', { longest: 512 }, spec, parse);
}

/** The same; empty means "not given". */
export function durationIfGiven(spec: Spec): Input<number | undefined> {
  const parse = (text: string, name: string) => (text === '' ? undefined : parseDuration(text, name));
  return input('duration or nothing', { longest: 512 }, spec, parse);
}

const timeGrammar = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** A point in time in ISO 8601, with its offset from UTC: what it means never depends on where it is read. Empty means "not given". */
export function pointInTime(spec: Spec): Input<Date | undefined> {
  return input('time', { longest: 512 }, spec, (value, name) => {
    if (value === '') return undefined;
    const [, date = ''] = timeGrammar.exec(value) ?? [];
    // A day that the month does not have would be one of the next month.
    const day = new Date(`${date}T00:00Z`);
    if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date))
      throw invalid(
        name,
        value,
        'a time with its offset from UTC, such as 2026-12-01T22:30Z or 2026-12-01T23:30+01:00',
      );
    return new Date(value);
  });
}

function parseDuration(value: string, name: string): number {
  const found = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value);
  const [hours, minutes, seconds] = [1, 2, 3].map((i) => Number(found?.[i] ?? 0)) as [number, number, number];
  const milliseconds = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  if (found === null || milliseconds === 0 || milliseconds > longestDuration)
    throw invalid(name, value, 'a length of time such as 90s, 10m or 1h30m, of at most 120h');
  return milliseconds;
}

/** A whole number; empty means "not given". */
export function count(least: number, most: number, spec: Spec): Input<number | undefined> {
  return input('number', { longest: 512 }, spec, (value, name) => {
    if (value === '') return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw invalid(name, value, `a whole number from ${String(least)} to ${String(most)}`);
    return number;
  });
}

/** `true` or `false`, as YAML 1.2 writes them; anything else is refused rather than taken for false. */
export function flag(spec: Spec): Input<boolean> {
  return input('true | false', { longest: 512 }, { default: 'false', ...spec }, (value, name) => {
    if (/^(true|True|TRUE)$/.test(value)) return true;
    if (/^(false|False|FALSE)$/.test(value)) return false;
    throw invalid(name, value, 'true or false');
  });
}

/** GitHub takes no more labels, and fewer people, on an issue or a pull request. */
const mostWords = 100;

/**
 * Words with commas or line ends between them, each of which a pattern describes; each is kept once.
 * @param meaning of a word; the word itself where it is missing
 */
export function list(
  type: string,
  expression: RegExp,
  takes: string,
  spec: Spec,
  meaning: (word: string) => string = (word) => word,
): Input<readonly string[]> {
  return input(`list of ${type}s`, { longest: 20_000, hasLines: true }, spec, (value, name) => {
    const words = value
      .split(/[,\n]/)
      .map((word) => word.trim())
      .filter((word) => word !== '');
    for (const word of words) if (!expression.test(word)) throw invalid(name, word, takes);
    const once = [...new Set(words.map(meaning))];
    if (once.length > mostWords) throw invalid(name, value, `a list of at most ${String(mostWords)}`);
    return once;
  });
}
