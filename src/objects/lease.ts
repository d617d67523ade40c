import { ownerLabel } from './pod.ts';
import type { Lease } from '../ports/cluster.ts';
import { upgrade } from '../common/versions.ts';
import { fencingTokenLabel, fencingTokenOf } from './fencing-token.ts';
import { runAddress } from '../common/grammar.ts';

/** Name of the Lease; it is never deleted, so that its tokens never go back. */
export const leaseName = `postgresql-upgrade-${String(upgrade.from)}-to-${String(upgrade.to)}`;

/** For how long a run that does not renew it still holds the Lease, in seconds. */
export const leaseDuration = 60;

/** Who holds a Lease, and until when if it is not renewed. */
export interface Holding {
  /** The run's address. Whoever may write Leases chooses it, so it is one word: it goes into sentences that people follow. */
  readonly holder: string;
  readonly since: Date;
  readonly renewed: Date;
  readonly expires: Date;
}

/**
 * Undefined when nobody holds it. A Lease that does not say when it was renewed has expired long ago. How long it lasts is not read from
 * it: whoever may write Leases could make one that never expires.
 */
export function holdingOf({ spec = {} }: Lease): Holding | undefined {
  const { holderIdentity = '' } = spec;
  if (holderIdentity === '') return undefined;
  const renewed = timeOf(spec.renewTime);
  return {
    holder: runAddress.safeParse(holderIdentity).success
      ? holderIdentity
      : 'a holder whose name is not the address of a run',
    since: timeOf(spec.acquireTime),
    renewed,
    expires: new Date(renewed.getTime() + leaseDuration * 1000),
  };
}

/** Milliseconds by which the clocks of several API servers may differ. */
const clockDifference = 60_000;

/**
 * Whether no run of this action can have written the time of the last renewal, which is always the API server's own: it is in the future,
 * so that the Lease would keep every run away until then.
 */
export function isForged({ renewed }: Holding, now: Date): boolean {
  return renewed.getTime() > now.getTime() + clockDifference;
}

/**
 * The token of whoever takes the Lease next: more than any before, also when
 * somebody deleted the Lease meanwhile, since it is not less than the seconds
 * since 1970 by the API server's time. One that is far ahead of these no run has written.
 */
export function nextToken(found: Lease | undefined, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const text = fencingTokenOf(found) ?? '';
  const last = /^\d{1,11}$/.test(text) ? Number(text) : 0;
  return String(Math.max(last <= seconds + mostAhead ? last + 1 : 0, seconds));
}

/** Seconds: each run that takes the Lease within one second adds one. */
const mostAhead = 3600;

export function newLease(namespace: string, holder: string, token: string, now: Date, name = leaseName): Lease {
  return {
    metadata: { name, namespace, labels: { ...ownerLabel, [fencingTokenLabel]: token } },
    spec: heldBy(holder, now),
  };
}

function heldBy(holder: string, now: Date): NonNullable<Lease['spec']> {
  const time = microTime(now);
  return { holderIdentity: holder, leaseDurationSeconds: leaseDuration, acquireTime: time, renewTime: time };
}

/** As Kubernetes' MicroTime wants it: six digits after the second, no more and no less. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

function timeOf(text: string | undefined): Date {
  const time = Date.parse(text ?? '');
  return new Date(Number.isNaN(time) ? 0 : time);
}
