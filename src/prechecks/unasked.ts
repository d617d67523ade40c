import { notAsked, unasked, unknown, type Answer, type Known } from './finding.ts';

/**
 * An image that nobody wanted to be asked does not block: pg_upgrade --check answers it in the Job, before anything is changed, at the price of some
 * downtime. One that was asked and did not answer does.
 */
export function unaskedImage(name: string, { reason, code }: Extract<Known<never>, { known: false }>): Answer {
  const evidence = `${name}: ${reason}`;
  return code === notAsked
    ? unasked(
        '"probes" is none. pg_upgrade --check tells in the Job, before it changes anything.',
        'Set "probes" to pods, so that the image is asked before the downtime.',
        evidence,
      )
    : unknown('Remove the reason, then run the checks again.', evidence);
}
