import { jobSettings } from '../objects/job-settings.ts';
import type { JobSettings } from '../objects/upgrade-job.ts';
import { pinned, platformOf, type RecordedImage, type SeenImage } from '../target/image-digests.ts';
import type { Facts } from './facts.ts';

/**
 * The settings of the Job for the server of the checks, with the image that the probe has run.
 * @returns undefined where the facts that they are made of are unknown
 * @throws PrecheckError `no-template1`
 */
export function jobOf(facts: Facts): Omit<JobSettings, 'runId'> | undefined {
  const { inputs, server, databases, upgradeProbe } = facts;
  if (!server.known || !databases.known) return undefined;
  const job = jobSettings(inputs, server.value, databases.value);
  return { ...job, image: pinned(job.image, seenBy(upgradeProbe)) };
}

/** What a probe has run; undefined where none did. */
export function seenBy(probe: Facts['upgradeProbe']): SeenImage | undefined {
  return probe.known ? probe.value.seen : undefined;
}

/** The same, with what the probe's node is. */
export function recordedBy({ nodes }: Facts, probe: Facts['upgradeProbe']): RecordedImage | undefined {
  const seen = seenBy(probe);
  if (seen === undefined) return undefined;
  const { imageId, node } = seen;
  return { imageId, node, platform: platformOf(node, nodes.known ? nodes.value : []) };
}
