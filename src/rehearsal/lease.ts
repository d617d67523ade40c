// The Lease of the rehearsals: one at a time, and none beside an upgrade.
// Decision: docs/decisions/0034-rehearsal.md
import { CancelledError, ClusterError, describe, isLeaseLost, PrecheckError, sentence } from '../common/errors.ts';
import { findJournal } from '../journal/find-journal.ts';
import type { JournalSeal } from '../journal/seal.ts';
import { expectNoHolder, type Connected } from '../lock/lease.ts';
import { underLease } from '../lock/under-lease.ts';
import { rehearsalLeaseName } from '../objects/rehearsal.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';
import { hasLeft, sweep, type Sweeping } from './sweep.ts';

interface Server {
  readonly target: Target;
  readonly seal: JournalSeal;
}

/** What a rehearsal does. */
interface Work<T> {
  readonly rehearse: (cluster: LeasedCluster) => Promise<T>;
  /** Not where an upgrade has begun meanwhile: what it removed looks like a failure of a stage. */
  readonly keep: (cluster: LeasedCluster, result: T) => Promise<void>;
}

/**
 * Does the work as the only rehearsal of the namespace, and beside no upgrade. Its cluster refuses every write once an upgrade has begun.
 * @param runId the run's address
 * @throws UpgradeError `upgrade-held` when a living rehearsal or upgrade is at work; ClusterError `rehearsal-ended` when an upgrade began; PrecheckError when one is not finished
 */
export async function withRehearsalLease<T>(
  outside: Connected,
  server: Server,
  runId: string,
  work: Work<T>,
): Promise<T> {
  const run = async (cluster: LeasedCluster, confirm: () => Promise<void>) => {
    // Each takes its own Lease first, and then looks at that of the other: an upgrade that this does not see takes this one.
    await expectNoUpgrade(cluster, server);
    const result = await work.rehearse(cluster);
    await confirm();
    await work.keep(cluster, result);
    return result;
  };
  try {
    return await underLease(outside, server.target.namespace, runId, { run }, { name: rehearsalLeaseName });
  } catch (error) {
    if (!isLeaseLost(error)) throw error;
    const message = `The rehearsal has ended without a result. ${error.message} Production is as it was.`;
    throw new ClusterError('rehearsal-ended', message, error.remedy);
  }
}

/** @throws UpgradeError `upgrade-held` when an upgrade is at work; PrecheckError when one is not finished */
export async function expectNoUpgrade(cluster: ClusterReader, { target, seal }: Server): Promise<void> {
  await expectNoHolder(cluster, target.namespace);
  const journal = await findJournal(cluster, target, seal);
  if (journal?.isClosed !== false) return;
  throw new PrecheckError(
    'rehearsal-refused',
    'An upgrade of this server is not finished. Nothing was made.',
    'Run "mode: upgrade" to resume it, or "mode: status" to see where it stands.',
  );
}

/** What an upgrade does about rehearsals. A failure of it only costs room and load, so it is a warning. */
interface Rehearsals {
  /**
   * Ends a rehearsal that is at work, removes all that rehearsals have left, and waits until it is gone.
   * @throws CancelledError
   */
  readonly end: () => Promise<void>;
  /**
   * A call that was on its way when the Lease was taken may take effect after that. So this asks for the removal again, but waits for nothing: no leftover makes an
   * upgrade late, or a completed one fail. It never throws.
   */
  readonly sweepAgain: () => Promise<void>;
}

/** @param context of the run that upgrades */
export function rehearsalsOf(outside: Connected, runId: string, context: Omit<Sweeping, 'cluster'>): Rehearsals {
  const { target, log } = context;
  const told = new Set<string>();
  const warn = (text: string) => {
    if (!told.has(text)) log.annotate('warning', 'rehearsal', text);
    told.add(text);
  };
  const look = async (waits: boolean) => {
    const { connection } = outside;
    const lease = await connection.find('leases', rehearsalLeaseName, target.namespace);
    // Whoever deletes the Lease takes the right to remove its objects from the rehearsal that made them.
    if (lease === undefined && !(await hasLeft(connection, target))) return;
    const run = (cluster: LeasedCluster) => sweep({ ...context, cluster }, { waits });
    const taking = { name: rehearsalLeaseName, seizes: true } as const;
    const { removed, late } = await underLease(outside, target.namespace, runId, { run }, taking);
    const done = waits ? 'Removed' : 'Asked Kubernetes to delete';
    if (removed.length > 0) log.info(`${done} what a rehearsal had made: ${removed.join(', ')}`);
    if (late !== undefined) warn(`${sentence(late.what)} ${late.remedy}`);
  };
  const tell = (error: unknown) => {
    warn(`The action could not end the rehearsals of this server: ${describe(error)}`);
  };
  return {
    end: async () => {
      try {
        await look(true);
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        tell(error);
      }
    },
    sweepAgain: async () => {
      await look(false).catch(tell);
    },
  };
}
