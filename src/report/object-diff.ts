import { createTwoFilesPatch } from 'diff';
import { dump } from 'js-yaml';
import { Pointer } from 'rfc6902';
import type { PatchOperation } from '../ports/cluster.ts';
import { applied } from '../objects/applied.ts';

/**
 * What a JSON Patch changes, as a unified diff of YAML that has only the fields which it touches: all else may be secret, and is long.
 * @param title of both sides, such as `statefulsets/postgresql`
 */
export function objectDiff(title: string, object: object, operations: readonly PatchOperation[]): string {
  // The first token is the root's.
  const paths = operations.filter(({ op }) => op !== 'test').map(({ path }) => Pointer.fromJSON(path).tokens.slice(1));
  const [before, after] = [object, applied(object, operations)].map((one) => yaml(only(one, paths)));
  const patch = createTwoFilesPatch(title, title, before ?? '', after ?? '', '', '', { context: 100 });
  // Without its heading and its line numbers, which are those of no file.
  return patch
    .split('\n')
    .filter((line) => !/^(Index: .*|=+|@@ .*)$/.test(line))
    .join('\n')
    .trimEnd();
}

/** The object with nothing but these paths; elements of lists keep their names. */
function only(object: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0) || typeof object !== 'object' || object === null) return object;
  const names = [...new Set(paths.map(([name = '']) => name))].filter((name) => Reflect.has(object, name));
  const below = (name: string) =>
    only(
      Reflect.get(object, name),
      paths.filter(([first]) => first === name).map((path) => path.slice(1)),
    );
  if (Array.isArray(object))
    return names.map((name) => ({ ...named(object[Number(name)]), ...(below(name) as object) }));
  return Object.fromEntries(names.map((name) => [name, below(name)]));
}

function named(element: unknown): object {
  const name = typeof element === 'object' && element !== null ? (Reflect.get(element, 'name') as unknown) : undefined;
  return name === undefined ? {} : { name };
}

function yaml(value: unknown): string {
  return dump(value, { lineWidth: 160, noRefs: true });
}
