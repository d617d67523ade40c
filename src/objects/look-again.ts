import type { PatchOperation } from '../ports/cluster.ts';

/** Annotation: when the action asked whoever follows the object to look at it again. */
export const lookAgainAnnotation = 'circleci-server-postgresql-upgrade/look-again';

const lookAgainPath = `/metadata/annotations/${lookAgainAnnotation.replaceAll('/', '~1')}`;

interface Marked {
  readonly metadata?:
    | {
        readonly uid?: string | undefined;
        readonly resourceVersion?: string | undefined;
        readonly annotations?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
}

/**
 * Changes nothing but the annotation, so that a controller which looks at each change looks at once.
 * @param object as it was read; the patch fails where it is another one by now
 * @param at the time, as ISO 8601
 */
export function lookAgain({ metadata }: Marked, at: string): PatchOperation[] {
  const { uid, resourceVersion, annotations } = metadata ?? {};
  // Where there are no annotations, others may add some meanwhile.
  return annotations === undefined
    ? [
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/metadata/annotations', value: { [lookAgainAnnotation]: at } },
      ]
    : [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'add', path: lookAgainPath, value: at },
      ];
}

/** Removes what `lookAgain` wrote. */
export function dropLookAgain(object: Marked | undefined): PatchOperation[] {
  return object?.metadata?.annotations?.[lookAgainAnnotation] === undefined
    ? []
    : [{ op: 'remove', path: lookAgainPath }];
}
