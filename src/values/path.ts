import { ConfigurationError } from '../common/errors.ts';

/** Keys of mappings, and numbers of the items in lists, from 0. */
export type Path = readonly (string | number)[];

const key = /(?:\\[.\\[\]]|[^.\\\s[\]])+/.source;
const segment = `${key}(?:\\[[0-9]{1,4}\\])*`;
const whole = new RegExp(`^${segment}(?:\\.${segment})*$`);

/**
 * The keys of a path such as `postgresql.image` or `spec.sources[1].helm.valuesObject.postgresql.image`; `\.`, `\[` and `\]` stand
 * for these characters within a key.
 * @throws ConfigurationError
 */
export function parsePath(path: string): Path {
  const parts = path.match(/\[[0-9]+\]|(?:\\.|[^.\\[\]])+/g) ?? [];
  const keys = parts.map((part) => (part.startsWith('[') ? Number(part.slice(1, -1)) : part.replace(/\\(.)/g, '$1')));
  if (whole.test(path) && !['registry', 'repository', 'tag', 'digest', '<<'].includes(String(keys.at(-1)))) return keys;
  throw new ConfigurationError(
    'values-path-invalid',
    `Input "values-path" is ${JSON.stringify(path.slice(0, 80))}, which is not a path to an image in values.yaml.`,
    'Set "values-path" to the keys which lead to the image, joined by dots and without its tag, such as postgresql.image. The number of an item of a list stands in brackets: spec.sources[0].helm.',
  );
}

/** A path as messages name it. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${String(part)}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('');
}
