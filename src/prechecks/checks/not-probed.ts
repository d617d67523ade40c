import { removeReason, notProbed, unknown, type Answer } from '../../findings/finding.ts';
import { notAsked, type Known } from '../../common/known.ts';

/**
 * An image that nobody wanted to be asked does not block; one that was asked and did not answer does.
 * @param answerer a sentence: what tells in the upgrade instead, of both images, at the price of some downtime
 */
export function unaskedImage(
  name: string,
  { reason, code }: Extract<Known<never>, { known: false }>,
  answerer: string,
): Answer {
  const evidence = `${name}: ${reason}`;
  return code === notAsked
    ? notProbed(
        `"probes" is none. ${answerer}`,
        'Set "probes" to pods, so that the action asks the image before the downtime.',
        evidence,
      )
    : unknown(removeReason, evidence);
}
