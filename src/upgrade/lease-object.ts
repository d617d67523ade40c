import { ownerLabel } from '../job/pod.ts';
import type { Lease } from '../ports/cluster.ts';
import { upgrade } from '../versions.ts';
import { epochLabel, epochOf } from './epoch.ts';

/** Name of the Lease; it is never deleted, so that its epochs never go back. */
export const leaseName = `postgresql-upgrade-${String(upgrade.from)}-to-${String(upgrade.to)}`;

/** For how long a run that does not renew it still holds the Lease, in seconds. */
export const leaseDuration = 60;

/** Who holds a Lease, and until when if it is not renewed. */
export interface Holding {
  /** The run's address. */
  readonly holder: string;
  readonly since: Date;
  readonly renewed: Date;
  readonly expires: Date;
}

/** Undefined when nobody holds it. A Lease that does not say when it was renewed has expired long ago. */
export function holdingOf({ spec = {} }: Lease): Holding | undefined {
  const { holderIdentity: holder = '', leaseDurationSeconds = leaseDuration } = spec;
  if (holder === '') return undefined;
  const renewed = timeOf(spec.renewTime);
  return {
    holder,
    since: timeOf(spec.acquireTime),
    renewed,
    expires: new Date(renewed.getTime() + leaseDurationSeconds * 1000),
  };
}

/**
 * The epoch of whoever takes the Lease next: more than any before, also when
 * somebody deleted the Lease meanwhile, since it is not less than the seconds
 * since 1970 by the API server's time.
 */
export function nextEpoch(found: Lease | undefined, now: Date): string {
  const last = Number(epochOf(found) ?? 0);
  return String(Math.max(Number.isSafeInteger(last) ? last + 1 : 0, Math.floor(now.getTime() / 1000)));
}

export function newLease(namespace: string, holder: string, epoch: string, now: Date): Lease {
  return {
    metadata: { name: leaseName, namespace, labels: { ...ownerLabel, [epochLabel]: epoch } },
    spec: heldBy(holder, now),
  };
}

export function heldBy(holder: string, now: Date): NonNullable<Lease['spec']> {
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
