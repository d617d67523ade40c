// A tag may mean another image on another node, and a rehearsal of an image that the upgrade does not run proves nothing.
// Decision: docs/decisions/0034-rehearsal.md
import { failed, warning, worst, type Answer } from '../findings/finding.ts';
import { compareWithProbe, type RecordedImage, type SeenImage } from '../target/image-digests.ts';
import type { RehearsalContext } from './context.ts';

/**
 * The answer of a stage, and whether its pod ran the image that the probe of the checks saw.
 * @param then undefined where no probe saw one: nothing is compared
 */
export async function withImage(
  { cluster }: Pick<RehearsalContext, 'cluster'>,
  then: RecordedImage | undefined,
  seen: SeenImage | undefined,
  answer: Answer,
): Promise<Answer> {
  if (then === undefined) return answer;
  const { answer: compared, both } = await compareWithProbe(cluster, then, seen);
  if (compared === 'same') return answer;
  const remedy =
    'Find out who moved the tag. Pin the image by its digest (TAG@sha256:… in "image-tag" or "upgrade-image"), then rehearse again.';
  return worst(
    answer,
    compared === 'another'
      ? failed(remedy, `The pod on the copy runs another image: ${both}`)
      : warning(remedy, `The action can't tell whether the pod on the copy runs the same image: ${both}`),
  );
}
