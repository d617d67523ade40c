import { ConfigurationError } from '../common/errors.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { upgrade } from '../common/versions.ts';

export interface Image {
  /** As `postgresql.image.registry` takes it. */
  readonly registry: string;
  readonly repository: string;
  /** With the digest behind it, `14.22@sha256:…`, where the inputs give one. */
  readonly tag: string;
  /** The three joined. */
  readonly reference: string;
}

type ImageInputs = Pick<Inputs, 'serverRelease' | 'imageSource' | 'imageRepository' | 'imageTag' | 'upgradeImage'>;

/**
 * The image that serves PostgreSQL 14.
 * @throws ConfigurationError when no tag is known for the release
 */
export function servingImage(inputs: ImageInputs): Image {
  const { registry, repository } =
    inputs.imageRepository === '' ? upgrade.images[inputs.imageSource] : splitImagePath(inputs.imageRepository);
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
    `No PostgreSQL ${String(upgrade.to)} image is known for release ${release} of CircleCI Server.`,
    `Set "image-tag" to the tag that your release ships, or "server-release" to one of: ${Object.keys(upgrade.tags).join(', ')}.`,
  );
}

/** The first part is a registry only if it looks like a host, as container runtimes see it; Docker Hub otherwise. */
function splitImagePath(path: string): { registry: string; repository: string } {
  const [first = '', ...rest] = path.split('/');
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  return isHost ? { registry: first, repository: rest.join('/') } : { registry: 'docker.io', repository: path };
}

/** An image by registry, repository and tag, which keeps its digest if it has one; undefined for a reference without a tag. */
export function parseImage(reference: string): Image | undefined {
  const found = /^([^@]+):([A-Za-z0-9_][A-Za-z0-9_.-]*(?:@sha256:[0-9a-f]{64})?)$/.exec(reference);
  const [, path, tag] = found ?? [];
  if (path === undefined || tag === undefined) return undefined;
  return { ...splitImagePath(path), tag, reference };
}
