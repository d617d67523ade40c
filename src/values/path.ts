import { ConfigurationError } from '../common/errors.ts';

/**
 * The keys of a path such as `postgresql.image`; `\.` is a dot within a key.
 * @throws ConfigurationError
 */
export function parsePath(path: string): string[] {
  const keys = (path.match(/(?:\\.|[^.\\])+/g) ?? []).map((key) => key.replace(/\\(.)/g, '$1'));
  const wellFormed = /^(?:\\[.\\]|[^.\\\s[\]])+(?:\.(?:\\[.\\]|[^.\\\s[\]])+)*$/.test(path);
  if (wellFormed && !['registry', 'repository', 'tag', 'digest', '<<'].includes(keys.at(-1) ?? '')) return keys;
  throw new ConfigurationError(
    'values-path-invalid',
    `Input "values-path" is ${JSON.stringify(path.slice(0, 80))}, which is not a path to an image in values.yaml.`,
    'Set "values-path" to the keys which lead to the image, joined by dots and without its tag, such as postgresql.image.',
  );
}
