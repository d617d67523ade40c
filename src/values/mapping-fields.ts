import { namesRegistry, type WantedImage } from './grammar.ts';

/** The keys of an image's mapping, in the order in which charts write them. */
export const fieldNames = ['registry', 'repository', 'tag', 'digest'] as const;
export type Field = (typeof fieldNames)[number];

/** What each key says now; '' when it is missing or empty. */
export type FieldTexts = Readonly<Record<Field, string>>;

/**
 * What the keys have to say. A registry and repository that, joined, already name the image stay split as they are; a
 * repository that holds its registry itself goes on doing so. A digest goes where there is a key for it, else after the tag.
 */
export function wantedFields(
  now: FieldTexts,
  has: ReadonlySet<Field>,
  image: WantedImage,
): Partial<Record<Field, string>> {
  const name = `${image.registry}/${image.repository}`;
  const joined = now.registry === '' && namesRegistry(now.repository);
  const pinned = image.digest !== undefined && !has.has('digest');
  return {
    ...(joined ? { repository: name } : nameFields(now, name, image)),
    tag: pinned ? `${image.tag}@${image.digest}` : image.tag,
    ...(has.has('digest') ? { digest: image.digest ?? '' } : {}),
  };
}

function nameFields(now: FieldTexts, name: string, { registry, repository }: WantedImage) {
  const same = now.registry !== '' && `${now.registry}/${now.repository}` === name;
  return same ? { registry: now.registry, repository: now.repository } : { registry, repository };
}
