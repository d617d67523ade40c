import { notAsked, unknown, warning, type Answer, type Known } from './finding.ts';

/**
 * An image that nobody wanted to be asked does not block: pg_upgrade --check
 * answers it in the Job, before anything is changed, at the price of some
 * downtime. One that was asked and did not answer does.
 */
export function unasked(name: string, { reason, code }: Extract<Known<never>, { known: false }>): Answer {
  return code === notAsked
    ? warning(
        'Set "probes" to pods, so that the image is asked before the downtime. Else pg_upgrade --check tells in the Job, before it changes anything.',
        `${name}: ${reason}`,
      )
    : unknown('Remove the reason, then run the checks again.', `${name}: ${reason}`);
}
