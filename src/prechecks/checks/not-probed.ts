import { notProbed, unread, type Answer } from '../../findings/finding.ts';
import { notAsked, type Known } from '../../common/known.ts';

/**
 * An image that the inputs say not to ask does not block. One that was asked and gave no answer does.
 * @param answerer a sentence: what finds it in the upgrade instead, at the price of some downtime
 */
export function unaskedImage(name: string, fact: Extract<Known<never>, { known: false }>, answerer: string): Answer {
  const evidence = `${name}: ${fact.reason}`;
  return fact.code === notAsked
    ? notProbed(
        `"probes" is none. ${answerer}`,
        'Set "probes" to pods, so that the action asks the image before the downtime.',
        evidence,
      )
    : unread(fact, evidence);
}
