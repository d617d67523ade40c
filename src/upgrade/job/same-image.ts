import type { V1Pod } from '@kubernetes/client-node';
import { UpgradeError } from '../../common/errors.ts';
import { compareWithProbe, seenImage, type RecordedImage } from '../../target/image-digests.ts';
import type { Context } from '../contract/step.ts';

/**
 * Compares what a container runs with what the probe of the prechecks saw. If they can't be compared, it warns. If no probe saw an image, it says
 * nothing, and the report says that no image was seen.
 * Decision: docs/decisions/0015-images.md
 * @param then what the journal's record has of the image
 * @param isTooLate nothing reverts by itself any more, so another image is only a warning
 * @throws UpgradeError `image-moved` when it is another image
 */
export async function expectSameImage(
  { cluster, results, log }: Pick<Context, 'cluster' | 'results' | 'log'>,
  what: string,
  then: RecordedImage | undefined,
  pod: V1Pod | undefined,
  container: string,
  isTooLate = false,
): Promise<void> {
  if (then === undefined) return;
  const seen = seenImage(pod, container);
  const { answer, both } = await compareWithProbe(cluster, then, seen);
  if (answer === 'same') {
    log.info(`${what} runs the image that the checks saw: ${seen?.imageId ?? ''}`);
    return;
  }
  if (answer === 'unknown') {
    results.warnings.push(`The action can't tell whether ${what} runs the image that the checks saw: ${both}.`);
    return;
  }
  const error = new UpgradeError(
    'image-moved',
    `${what} runs another image than the checks saw: ${both}.`,
    'Find out who moved the tag. Pin the image by its digest (TAG@sha256:… in "image-tag" or "upgrade-image"), then run again.',
  );
  if (!isTooLate) throw error;
  results.warnings.push(error.message);
}

/**
 * Before the applications are restarted: the tag on the StatefulSet may have been moved since the checks.
 * @throws UpgradeError `image-moved`
 */
export async function expectServedImage(context: Context): Promise<void> {
  const { cluster, target, journal, serving } = context;
  const then = journal.record.seen?.serving;
  const pod = then && (await cluster.find('pods', target.podName, target.namespace));
  const isTooLate = journal.noted.validated !== undefined;
  await expectSameImage(context, `PostgreSQL (${serving.reference})`, then, pod, target.container.name, isTooLate);
}
