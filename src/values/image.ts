import { ConfigurationError } from '../common/errors.ts';

/** The image as values.yaml names it. */
export interface WantedImage {
  /** Host and port, such as `cciserver.azurecr.io`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** `sha256:…`, when the image is to be pinned. */
  readonly digest?: string;
}

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const host = `(?:${label}(?:\\.${label})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const path = `${component}(?:/${component})*`;
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digest = '(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})';

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);

/** The grammar of the OCI distribution and image specifications. */
const grammar = { registry: whole(host), repository: whole(path), tag: whole(tag), digest: whole(digest) };
const reference = new RegExp(`^((?:${host}/)?${path})(?::(${tag}))?(?:@(${digest}))?$`);

/**
 * Refuses what no registry would take, so that nothing else ever reaches the file.
 * @throws ConfigurationError for the first part that is wrong
 */
export function checkImage(image: WantedImage): void {
  for (const part of ['registry', 'repository', 'tag', 'digest'] as const) {
    const value = image[part];
    if (value === undefined || (grammar[part].test(value) && value.length <= 255)) continue;
    throw new ConfigurationError(
      'values-image-invalid',
      `${JSON.stringify(value)} is not the ${part} of an image.`,
      'Check "image-repository" and "image-tag".',
    );
  }
}

/** What values.yaml may hold already: also a path within the registry, a registry within the repository, a digest after the tag. */
const written = {
  registry: whole(`${host}(?:/${path})?`),
  repository: whole(`(?:${host}/)?${path}`),
  tag: whole(`${tag}(?:@${digest})?`),
  digest: grammar.digest,
};

/** Whether a text is what values.yaml may have as this part of an image. */
export function isPartOfImage(part: keyof typeof written, text: string): boolean {
  return text === '' || written[part].test(text);
}

export interface ParsedReference {
  /** Registry (if any) and repository as written. */
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/**
 * The parts of `[registry/]repository[:tag][@digest]`; undefined when it is none, or might as well be a tag with a digest, or
 * one word.
 */
export function parseReference(text: string): ParsedReference | undefined {
  const found = reference.exec(text);
  const [, name = '', tagged, digested] = found ?? [];
  if (found === null || !(name.includes('/') || tagged !== undefined)) return undefined;
  return { name, tag: tagged, digest: digested };
}

/** Whether a name starts with a registry, as container runtimes see it. */
export function namesRegistry(name: string): boolean {
  const [first = '', ...rest] = name.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
}
