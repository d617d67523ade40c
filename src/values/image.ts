import { ConfigurationError } from '../common/errors.ts';
import { imageGrammar, parseReference, type Reference } from '../common/image.ts';

/** The image as values.yaml names it. */
export interface WantedImage {
  /** Host and port, such as `cciserver.azurecr.io`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** `sha256:…`, when the image is to be pinned. */
  readonly digest?: string;
}

/**
 * Refuses what no registry would take, so that nothing else ever reaches the file.
 * @throws ConfigurationError for the first part that is wrong
 */
export function checkImage(image: WantedImage): void {
  for (const part of ['registry', 'repository', 'tag', 'digest'] as const) {
    const value = image[part];
    if (value === undefined || (imageGrammar[part].test(value) && value.length <= 255)) continue;
    throw new ConfigurationError(
      'values-image-invalid',
      `${JSON.stringify(value)} is not the ${part} of an image.`,
      'Check "image-repository" and "image-tag".',
    );
  }
}

/** What values.yaml may hold already: also a path within the registry, a registry within the repository, a digest after the tag. */
const written = {
  registry: imageGrammar.registryWithPath,
  repository: imageGrammar.name,
  tag: imageGrammar.tagWithDigest,
  digest: imageGrammar.digest,
};

/** Whether a text is what values.yaml may have as this part of an image. */
export function isPartOfImage(part: keyof typeof written, text: string): boolean {
  return text === '' || written[part].test(text);
}

/** The parts of a reference; undefined when it is none, or might as well be a tag with a digest, or one word. */
export function parseWritten(text: string): Reference | undefined {
  const found = parseReference(text);
  return found !== undefined && (found.name.includes('/') || found.tag !== undefined) ? found : undefined;
}
