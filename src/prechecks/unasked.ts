import { notAsked, unknown, type Answer, type Known } from './finding.ts';

/**
 * What nobody wanted to be asked is unknown, and does not block: the upgrade itself answers it where nothing is lost, at the price of some downtime. What was
 * asked and did not answer does.
 * @param answerer what tells it instead, as a sentence
 * @param reach what to do where it was asked
 */
export function unasked(
  { reason, code }: Extract<Known<never>, { known: false }>,
  answerer: string,
  remedy: string,
  reach = 'Remove the reason, then run the checks again.',
): Answer {
  return code === notAsked ? { ...unknown(remedy, reason), ignored: answerer } : unknown(reach, reason);
}

/** An image, of which the probes ask. */
export function unaskedImage(name: string, probe: Extract<Known<never>, { known: false }>): Answer {
  return unasked(
    { ...probe, reason: `${name}: ${probe.reason}` },
    '"probes" is none. pg_upgrade --check tells in the Job, before it changes anything.',
    'Set "probes" to pods, so that the image is asked before the downtime.',
  );
}
