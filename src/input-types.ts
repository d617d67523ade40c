import { ConfigurationError } from './errors.ts';

/** One input of the action: how it is documented and how its text is read. */
export interface Input<T> {
  readonly description: string;
  /** What GitHub passes when the workflow does not name the input. */
  readonly default: string;
  readonly required: boolean;
  /** Shown in the README's table, for example `duration`. */
  readonly type: string;
  /** @throws ConfigurationError naming the input, what it holds and what it takes. */
  parse(text: string, name: string): T;
}

interface Spec {
  readonly description: string;
  readonly default?: string;
  readonly required?: boolean;
}

function input<T>(type: string, spec: Spec, parse: Input<T>['parse']): Input<T> {
  return {
    type,
    description: spec.description,
    default: spec.default ?? '',
    required: spec.required ?? false,
    parse(text, name) {
      if (text === '' && spec.required) {
        throw new ConfigurationError(
          'input-missing',
          `Input "${name}" is required.`,
          `Set "with: ${name}:" in the workflow. ${spec.description}`,
        );
      }
      return parse(text, name);
    },
  };
}

function invalid(name: string, text: string, takes: string): ConfigurationError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new ConfigurationError(
    'input-invalid',
    `Input "${name}" is ${JSON.stringify(shown)}, which is not ${takes}.`,
    `Set "${name}" to ${takes}.`,
  );
}

/** Any text, as it is. */
export function text(spec: Spec): Input<string> {
  return input('text', spec, (value) => value);
}

/** A secret whose default is an expression which only the runner can evaluate; nobody did where the expression itself comes. */
export function secret(spec: Spec): Input<string> {
  return input('secret', spec, (value) => (value.startsWith('${{') ? '' : value));
}

/** Text that a pattern describes; empty means "not given". */
export function pattern(type: string, expression: RegExp, takes: string, spec: Spec): Input<string> {
  return input(type, spec, (value, name) => {
    if (value !== '' && !expression.test(value)) throw invalid(name, value, takes);
    return value;
  });
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

/** The name of a namespace: an RFC 1123 label, at most 63 characters. */
export function namespaceName(spec: Spec): Input<string> {
  const takes = 'the name of a namespace (at most 63 lower-case letters, digits and "-")';
  return pattern('name', /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, takes, spec);
}

/** One of a few words. */
export function choice<const W extends string>(words: readonly W[], spec: Spec): Input<W> {
  const takes = `one of: ${words.join(', ')}`;
  return input(words.join(' | '), spec, (value, name) => {
    const word = words.find((w) => w === value);
    if (word === undefined) throw invalid(name, value, takes);
    return word;
  });
}

/** A length of time such as `90s`, `10m` or `1h30m`, in milliseconds. */
export function duration(spec: Spec): Input<number> {
  return input('duration', spec, (value, name) => {
    const found = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value);
    const [hours, minutes, seconds] = [1, 2, 3].map((i) => Number(found?.[i] ?? 0)) as [number, number, number];
    const milliseconds = ((hours * 60 + minutes) * 60 + seconds) * 1000;
    if (found === null || milliseconds === 0) throw invalid(name, value, 'a length of time such as 90s, 10m or 1h30m');
    return milliseconds;
  });
}

/** A whole number from `least` up; empty means "not given". */
export function count(least: number, spec: Spec): Input<number | undefined> {
  return input('number', spec, (value, name) => {
    if (value === '') return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least) throw invalid(name, value, `a whole number from ${String(least)}`);
    return number;
  });
}

/** `true` or `false`, as YAML 1.2 writes them; anything else is refused rather than taken for false. */
export function flag(spec: Spec): Input<boolean> {
  return input('true | false', { default: 'false', ...spec }, (value, name) => {
    if (/^(true|True|TRUE)$/.test(value)) return true;
    if (/^(false|False|FALSE)$/.test(value)) return false;
    throw invalid(name, value, 'true or false');
  });
}

/** Words with commas or line ends between them, each of which a pattern describes; each is kept once. */
export function list(type: string, expression: RegExp, takes: string, spec: Spec): Input<readonly string[]> {
  return input(`list of ${type}s`, spec, (value, name) => {
    const words = value
      .split(/[,\n]/)
      .map((word) => word.trim())
      .filter((word) => word !== '');
    for (const word of words) if (!expression.test(word)) throw invalid(name, word, takes);
    return [...new Set(words)];
  });
}
