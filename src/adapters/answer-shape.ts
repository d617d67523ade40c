import type { ResourceName } from '../ports/cluster.ts';

/** Levels of objects and lists in one another; the deepest of Kubernetes (schemas of CustomResourceDefinitions) have some dozens. */
const deepest = 200;

type Fields = Readonly<Record<string, unknown>>;

/** @returns what is wrong with an answer, for people; undefined where it is an object, and not too deep to be worked with */
export function wrongWith(answer: unknown): string | undefined {
  if (!isObject(answer)) return answer === null ? 'null' : Array.isArray(answer) ? 'a list' : `a ${typeof answer}`;
  let level: readonly unknown[] = [answer];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return `more than ${String(deepest)} objects in one another`;
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
    );
  }
  return undefined;
}

/** The same for an object of a resource. Reviews of access are answers, and need no metadata. */
export function wrongWithObject(resource: ResourceName, answer: unknown): string | undefined {
  const isReview = resource === 'selfsubjectreviews' || resource === 'selfsubjectaccessreviews';
  return isReview || isObject((answer as Fields)['metadata']) ? undefined : 'an object without metadata';
}

/** The same for a page of a list. */
export function wrongWithPage(answer: unknown): string | undefined {
  const { items, metadata } = answer as Fields;
  if (!isObject(metadata)) return 'a list without metadata';
  if (!Array.isArray(items)) return 'a list without items';
  return items.every((item) => isObject(item) && isObject(item['metadata']))
    ? undefined
    : 'a list with items that are no objects';
}

/** The same for the resources of a group (discovery). */
export function wrongWithDiscovery(answer: unknown): string | undefined {
  const { resources } = answer as Fields;
  return Array.isArray(resources) && resources.every(isObject) ? undefined : 'an object without resources';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
