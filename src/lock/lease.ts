import { ClusterError, describe, UpgradeError } from '../common/errors.ts';
import { isConflict, isUnanswered } from '../ports/cluster-answers.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import type { Cluster, ClusterReader, Lease } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { waitFor } from '../ports/wait.ts';
import { fencingTokenOf, expectToken, isTestFailure, setToken } from '../objects/fencing-token.ts';
import {
  holdingOf,
  isForged,
  leaseDuration,
  leaseName,
  microTime,
  newLease,
  nextToken,
  type Holding,
} from '../objects/lease.ts';

/** With the connection itself: the Lease is what the right to change anything comes from. */
export type Connected = Pick<Deps, 'clock' | 'log'> & { readonly connection: Cluster };

/** What a wait for the Lease needs. */
type WaitingDeps = Pick<Deps, 'clock' | 'log' | 'signal'> & { readonly cluster: ClusterReader };

/** Which Lease, and how it is taken. */
export interface Taking {
  /** The upgrade's, where it is missing. */
  readonly name?: string;
  /** Takes it from a run that lives, too: that one ends at its next write. */
  readonly seizes?: true;
}

/** Of several runs that try at once, one wins each round; a run that loses this often is certainly not alone. */
const attempts = 3;

/** Milliseconds. */
const staleAfter = 10_000;

/**
 * The right to be the only run that upgrades. The API server's time alone
 * decides whether it has expired, and the API server's answer to a renewal
 * whether this run still holds it. The runner's clock decides nothing, since
 * it stands still while the runner is paused.
 * Decision: docs/decisions/0010-one-run-at-a-time.md
 */
export class HeldLease {
  private loss: UpgradeError | undefined;
  private released = false;
  private readonly stop: () => void;

  private constructor(
    private readonly outside: Connected,
    private readonly namespace: string,
    private readonly name: string,
    private readonly holder: string,
    /** Grows with each run that takes the Lease. */
    readonly token: string,
  ) {
    this.stop = outside.clock.repeat((leaseDuration * 1000) / 3, () => this.beat());
  }

  /**
   * Takes the Lease, from nobody or from a run that has not renewed it in time.
   * @param holder the run's address
   * @throws UpgradeError when a living run holds it
   */
  static async acquire(
    outside: Connected,
    namespace: string,
    holder: string,
    { name = leaseName, seizes }: Taking = {},
  ): Promise<HeldLease> {
    const { connection: cluster, log } = outside;
    for (let attempt = 1; ; attempt++) {
      const found = await cluster.find('leases', name, namespace);
      const now = await cluster.now();
      const before = seizes === true ? found && holdingOf(found) : expectFree(found, now, namespace);
      const token = nextToken(found, now);
      const wanted = newLease(namespace, holder, token, now, name);
      try {
        await take(cluster, namespace, found, wanted);
      } catch (error) {
        if (!isOvertaken(error) && !isUnanswered(error)) throw error;
        if (!isSame(await cluster.find('leases', name, namespace), wanted)) {
          if (attempt === attempts) throw error;
          continue;
        }
        // It was taken: only the answer was lost.
      }
      log.info(
        before === undefined
          ? `Took Lease ${name} (fencing token ${token})`
          : `Took over Lease ${name} (fencing token ${token}) from ${before.holder}, which ${seizes === true ? 'ends at its next write' : `has not renewed it for ${seconds(before.renewed, now)} s`}`,
      );
      return new HeldLease(outside, namespace, name, holder, token);
    }
  }

  /** Why it is not this run's any more; it never is again. */
  get lost(): UpgradeError | undefined {
    return this.loss;
  }

  /** @throws UpgradeError once it is known to be lost */
  expectHeld(): void {
    if (this.loss !== undefined) throw this.loss;
  }

  /**
   * Has the API server confirm that it is still this run's, for its whole duration from now on.
   * @throws UpgradeError when it is not
   */
  async renew(): Promise<void> {
    this.expectHeld();
    const { connection: cluster, clock } = this.outside;
    for (;;) {
      const begun = clock.monotonic();
      try {
        await cluster.patch('leases', this.name, this.namespace, [
          ...this.stillOurs(),
          { op: 'add', path: '/spec/renewTime', value: microTime(await cluster.now()) },
        ]);
      } catch (error) {
        await this.judge(error);
      }
      // If the API server did not answer meanwhile, the time that was written is old.
      if (clock.monotonic() - begun < staleAfter) return;
    }
  }

  /** Lets the next run take it at once. The object stays, and with it the token. */
  async release(): Promise<void> {
    this.released = true;
    this.stop();
    if (this.loss !== undefined) return;
    const { connection: cluster, log } = this.outside;
    try {
      await cluster.patch('leases', this.name, this.namespace, [
        ...this.stillOurs(),
        { op: 'add', path: '/spec/holderIdentity', value: '' },
      ]);
    } catch (error) {
      log.info(`Could not release Lease ${this.name}, which expires by itself: ${describe(error)}`);
    }
  }

  /** An API server that does not answer for a while has given the Lease to nobody: only its own answer means that the Lease is lost. */
  private async beat(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (!this.released) this.outside.log.info(`Could not renew Lease ${this.name}: ${describe(error)}`);
    }
  }

  private stillOurs() {
    return [{ op: 'test', path: '/spec/holderIdentity', value: this.holder } as const, expectToken(this.token)];
  }

  /** What a refused renewal means. */
  private async judge(refusal: unknown): Promise<never> {
    const isGone = refusal instanceof ClusterError && refusal.code === 'not-found';
    if (!isGone && !isTestFailure(refusal)) throw refusal;
    const found = await this.outside.connection.find('leases', this.name, this.namespace);
    const holding = found === undefined ? undefined : holdingOf(found);
    if (fencingTokenOf(found) === this.token && found?.spec?.holderIdentity === this.holder) throw refusal;
    this.stop();
    this.loss ??= new UpgradeError(
      'lease-lost',
      `This run did not renew Lease ${this.name} in time, and makes no more changes: ${whoHas(found)}`,
      this.name === leaseName
        ? afterLoss(holding, this.namespace)
        : 'Start the rehearsal again when nothing else is at work.',
    );
    throw this.loss;
  }
}

/** What to do after the loss of the upgrade's Lease. */
function afterLoss(holding: Holding | undefined, namespace: string): string {
  return holding === undefined
    ? 'Run "mode: status" to see where the upgrade stands. "mode: upgrade" resumes it.'
    : `Follow ${holding.holder}, which has resumed this upgrade. ${ifNobodys(namespace)} Then run "mode: upgrade" to resume.`;
}

/**
 * Who holds the Lease, or held it last without giving it back; undefined when nobody does. A forged one (see `isForged`) says nothing about a holder.
 * @param name the upgrade's, where it is missing
 */
export async function findHolding(
  cluster: ClusterReader,
  namespace: string,
  name = leaseName,
): Promise<(Holding & { readonly isExpired: boolean; readonly isForged?: boolean }) | undefined> {
  const found = await cluster.find('leases', name, namespace);
  const holding = found === undefined ? undefined : holdingOf(found);
  if (holding === undefined) return undefined;
  const now = await cluster.now();
  return isForged(holding, now)
    ? { ...holding, isExpired: true, isForged: true }
    : { ...holding, isExpired: now > holding.expires };
}

/**
 * Releases the Lease of a run that died at its very end: it had closed the journal already, so nothing else of it is left to resume.
 * @throws UpgradeError when a living run has taken it meanwhile
 */
export async function releaseExpired(outside: Connected, namespace: string, holder: string): Promise<void> {
  const holding = await findHolding(outside.connection, namespace);
  if (holding?.isExpired !== true) return;
  const lease = await HeldLease.acquire(outside, namespace, holder);
  await lease.release();
}

/**
 * Looks whether a living run holds the Lease; takes nothing.
 * @throws UpgradeError when one does
 */
export async function expectNoHolder(cluster: ClusterReader, namespace: string): Promise<void> {
  const found = await cluster.find('leases', leaseName, namespace);
  if (found !== undefined) expectFree(found, await cluster.now(), namespace);
}

/**
 * Waits until nobody holds the Lease. A run that died does not renew it, so that it expires within a minute; one that lives renews it meanwhile.
 * Takes nothing: of several runs that wait, `HeldLease.acquire` lets one go first.
 * @param name the upgrade's, where it is missing
 * @throws UpgradeError `upgrade-held` when its holder renews it, or another run takes it; CancelledError
 */
export async function awaitNoHolder(deps: WaitingDeps, namespace: string, name = leaseName): Promise<void> {
  const { cluster, clock, log, signal } = deps;
  const look = async () => {
    const found = await cluster.find('leases', name, namespace);
    if (found === undefined) return undefined;
    const now = await cluster.now();
    const holding = unexpired(found, now, namespace);
    return holding === undefined ? undefined : { ...holding, now };
  };
  const first = await look();
  if (first === undefined) return;
  const expected = first.expires.getTime() - first.now.getTime();
  const what = `Lease ${name} of ${first.holder} to expire`;
  await waitFor({ what, expected, limit: 2 * leaseDuration * 1000, clock, log, signal }, async () => {
    const holding = await look();
    if (holding === undefined) return { done: undefined };
    if (holding.holder !== first.holder || holding.renewed > first.renewed)
      throw held(holding, holding.now, namespace, name);
    return { pending: `not renewed since ${holding.renewed.toISOString()}, so that its run may be dead` };
  });
}

/** @returns the holder that let it expire, if there is one */
function expectFree(found: Lease | undefined, now: Date, namespace: string): Holding | undefined {
  if (found === undefined) return undefined;
  const holding = unexpired(found, now, namespace);
  if (holding !== undefined) throw held(holding, now, namespace, found.metadata?.name);
  return holdingOf(found);
}

/**
 * @returns who holds the Lease, undefined where nobody does or its holder let it expire
 * @throws UpgradeError `lease-foreign` where no run of this action can have written it
 */
function unexpired(found: Lease, now: Date, namespace: string): Holding | undefined {
  const holding = holdingOf(found);
  if (holding === undefined || now > holding.expires) return undefined;
  if (isForged(holding, now)) throw forged(holding, namespace, found.metadata?.name);
  return holding;
}

function held(holding: Holding, now: Date, namespace: string, name = leaseName): UpgradeError {
  return new UpgradeError(
    'upgrade-held',
    `Another run is at work: ${holding.holder} has held Lease ${name} since ${holding.since.toISOString()}, and renewed it ${seconds(holding.renewed, now)} s ago. This run changed nothing.`,
    `Wait until that run has ended. If it died, its Lease expires at ${holding.expires.toISOString()}: then run again to resume what it left. ${ifNobodys(namespace, name)} Then run again.`,
  );
}

function forged({ renewed }: Holding, namespace: string, name = leaseName): UpgradeError {
  return new UpgradeError(
    'lease-foreign',
    `No run of this action wrote Lease ${name} in namespace ${namespace}: its renewTime ${renewed.toISOString()} is in the future. Nothing was changed.`,
    `${ifNobodys(namespace, name)} Then run again.`,
  );
}

/** Anybody who may write Leases can take one from a run and keep it renewed: only a person can stop that. */
function ifNobodys(namespace: string, name = leaseName): string {
  const show = shell`kubectl -n ${namespace} get lease ${name} -o yaml --show-managed-fields`;
  return `If no run of this action is at work, somebody else writes the Lease. Find out who: ${copyable(show)}. Remove their right to write Leases, and delete the Lease: ${copyable(shell`kubectl -n ${namespace} delete lease ${name}`)}.`;
}

/** In one change that only succeeds on what was read: of two runs, one is refused. */
async function take(cluster: Cluster, namespace: string, found: Lease | undefined, wanted: Lease): Promise<void> {
  if (found === undefined) {
    await cluster.create('leases', wanted, { namespace });
    return;
  }
  await cluster.patch('leases', wanted.metadata?.name ?? leaseName, namespace, [
    { op: 'test', path: '/metadata/resourceVersion', value: found.metadata?.resourceVersion },
    ...setToken(found, fencingTokenOf(wanted) ?? ''),
    { op: 'add', path: '/spec', value: wanted.spec },
  ]);
}

function isOvertaken(error: unknown): boolean {
  return isTestFailure(error) || isConflict(error) || (error instanceof ClusterError && error.code === 'not-found');
}

/** Down to the millisecond in which it was taken: two jobs of one run have the same address. */
function isSame(found: Lease | undefined, wanted: Lease): boolean {
  return (
    fencingTokenOf(found) === fencingTokenOf(wanted) &&
    found?.spec?.holderIdentity === wanted.spec?.holderIdentity &&
    found?.spec?.acquireTime === wanted.spec?.acquireTime
  );
}

function whoHas(found: Lease | undefined): string {
  if (found === undefined) return 'somebody deleted the Lease.';
  const holding = holdingOf(found);
  if (holding === undefined) return 'another run has held it meanwhile and has ended.';
  return `${holding.holder} took over the Lease at ${holding.since.toISOString()}.`;
}

function seconds(from: Date, to: Date): string {
  return String(Math.max(0, Math.round((to.getTime() - from.getTime()) / 1000)));
}
