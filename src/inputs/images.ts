import { ConfigurationError } from '../common/errors.ts';
import { namesRegistry, parseReference, splitName, withoutDigest, type Image } from '../common/image.ts';
import { upgrade } from '../common/versions.ts';
import { shortened } from '../text/shortened.ts';
import { oneLine } from '../text/visible.ts';

/** The inputs that choose the images, as they are given. */
export interface ImageInputs {
  readonly serverRelease: string;
  readonly imageSource: keyof typeof upgrade.images | 'server';
  readonly imageRepository: string;
  readonly imageTag: string;
  readonly upgradeImage: string;
}

/** The images of an upgrade. */
export interface ChosenImages {
  /** The image that serves PostgreSQL 14. */
  readonly servingImage: Image;
  /** The image of the upgrade Job, with the binaries of both majors; never ''. */
  readonly upgradeImage: string;
  /** Where they come from and why, as a sentence. */
  readonly imageOrigin: string;
}

/** Where the images come from that no input names. */
interface Origin {
  readonly registry: string;
  readonly repository: string;
  readonly upgradeImage: string;
  /** Why from there, as the rest of a sentence. */
  readonly why: string;
}

/**
 * Chooses the images.
 * Decision: docs/decisions/0015-images.md
 * @param own the image of PostgreSQL in the StatefulSet; undefined where the cluster was not read
 * @throws ConfigurationError when no tag is known for the release
 */
export function chooseImages(inputs: ImageInputs, own?: string): ChosenImages {
  const origin = originOf(inputs.imageSource, own);
  const { registry, repository } = inputs.imageRepository === '' ? origin : splitName(inputs.imageRepository);
  const tag = inputs.imageTag || tagOf(inputs.serverRelease);
  return {
    servingImage: { registry, repository, tag, reference: `${registry}/${repository}:${tag}` },
    upgradeImage: inputs.upgradeImage || origin.upgradeImage,
    imageOrigin: originText(inputs, origin),
  };
}

/** A copy that somebody has to make in a registry of their own. */
export interface MirroredImage {
  readonly source: string;
  readonly destination: string;
}

/** The images that do not come from a registry of the vendor's, each with where the vendor has it. */
export function imagesToMirror({
  servingImage,
  upgradeImage: ofJob,
}: Pick<ChosenImages, 'servingImage' | 'upgradeImage'>): { serving?: MirroredImage; upgrade?: MirroredImage } {
  const vendors = upgrade.images.acr;
  const { registry, repository, tag, reference } = servingImage;
  const jobName = parseReference(ofJob)?.name ?? '';
  return {
    ...(isVendors(`${registry}/${repository}`)
      ? {}
      : {
          serving: {
            source: `${vendors.registry}/${vendors.repository}:${tag}`,
            destination: withoutDigest(reference),
          },
        }),
    ...(isVendors(jobName) ? {} : { upgrade: { source: vendors.upgradeImage, destination: withoutDigest(ofJob) } }),
  };
}

/** Whether the vendor publishes its images there. */
export function isVendorsRegistry(registry: string): boolean {
  return ['index.docker.io', ...Object.values(upgrade.images).map((one) => one.registry as string)].includes(registry);
}

function isVendors(name: string): boolean {
  return Object.values(upgrade.images).some(
    ({ registry, repository, upgradeImage: ofJob }) =>
      name === `${registry}/${repository}` || name === parseReference(ofJob)?.name,
  );
}

function originOf(source: ImageInputs['imageSource'], own: string | undefined): Origin {
  if (source !== 'server') return { ...upgrade.images[source], why: `since "image-source" is ${source}` };
  if (own === undefined) return { ...upgrade.images.acr, why: 'since this run does not access the cluster' };
  const name = parseReference(own)?.name ?? '';
  const { registry, repository } = splitName(name);
  const why = "as the server's own image does";
  // The vendor's Azure registry has its images under one path, whatever the chart names.
  if (registry === upgrade.images.acr.registry) return { ...upgrade.images.acr, why };
  if (isVendors(`${registry}/${repository}`)) return { ...upgrade.images['docker-hub'], why };
  const { repository: vendors, upgradeImage: ofJob, registry: before } = upgrade.images.acr;
  const prefix = repository.slice(0, -vendors.length);
  if (!namesRegistry(name) || repository !== `${prefix}${vendors}` || (prefix !== '' && !prefix.endsWith('/')))
    return {
      ...upgrade.images.acr,
      why: `since the server's own image, ${shortened(oneLine(own), 200)}, has no name of the form REGISTRY/PATH/${vendors}`,
    };
  return { registry, repository, upgradeImage: `${registry}/${prefix}${ofJob.slice(before.length + 1)}`, why };
}

function originText(inputs: ImageInputs, { registry, repository, why }: Origin): string {
  const given = [
    ...(inputs.imageRepository === '' ? [] : ['"image-repository" names the image of PostgreSQL 14.']),
    ...(inputs.upgradeImage === '' ? [] : ['"upgrade-image" names the upgrade image.']),
  ];
  const place = `${registry}/${repository}`.replace(/\/[^/]*$/, '');
  const what =
    given.length === 0
      ? 'Both images come'
      : inputs.imageRepository === ''
        ? 'The image of PostgreSQL 14 comes'
        : 'The upgrade image comes';
  return [...given, ...(given.length === 2 ? [] : [`${what} from ${place}, ${why}.`])].join(' ');
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
