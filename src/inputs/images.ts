import { ConfigurationError } from '../common/errors.ts';
import { splitName, type Image } from '../common/image.ts';
import { upgrade } from '../common/versions.ts';

/** The inputs that choose the images, as they are given. */
interface ImageInputs {
  readonly serverRelease: string;
  readonly imageSource: keyof typeof upgrade.images;
  readonly imageRepository: string;
  readonly imageTag: string;
  readonly upgradeImage: string;
}

/**
 * The image that serves PostgreSQL 14.
 * @throws ConfigurationError when no tag is known for the release
 */
export function servingImage(inputs: ImageInputs): Image {
  const { registry, repository } =
    inputs.imageRepository === '' ? upgrade.images[inputs.imageSource] : splitName(inputs.imageRepository);
  const tag = inputs.imageTag || tagOf(inputs.serverRelease);
  return { registry, repository, tag, reference: `${registry}/${repository}:${tag}` };
}

/** The image of the upgrade Job, with the binaries of both majors. */
export function upgradeImage(inputs: ImageInputs): string {
  return inputs.upgradeImage || upgrade.images[inputs.imageSource].upgradeImage;
}

function tagOf(release: string): string {
  const tag = upgrade.tags[release] ?? upgrade.tags[release.split('.').slice(0, 2).join('.')];
  if (tag !== undefined) return tag;
  throw new ConfigurationError(
    'release-unknown',
    `Input "server-release" is ${release}, a release of CircleCI Server for which no image of PostgreSQL ${String(upgrade.to)} is known.`,
    `Set "image-tag" to the tag of the PostgreSQL 14 image that this release ships, or "server-release" to one of: ${Object.keys(upgrade.tags).join(', ')}.`,
  );
}
