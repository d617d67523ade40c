// The Lease of the rehearsals: one at a time, and none beside an upgrade.
// Decision: docs/decisions/0034-rehearsal.md
import {
  CancelledError,
  ClusterError,
  describe,
  isRunError,
  PrecheckError,
  sentence,
  UpgradeError,
} from '../common/errors.ts';
import { findJournal } from '../journal/find-journal.ts';
import type { JournalSeal } from '../journal/seal.ts';
import { expectNoHolder, type Connected } from '../lock/lease.ts';
import { underLease } from '../lock/under-lease.ts';
import { rehearsalLeaseName } from '../objects/rehearsal.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import type { Target } from '../target/target.ts';
import { sweep, type Sweeping } from './sweep.ts';

interface Server {
  readonly target: Target;
  readonly seal: JournalSeal;
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
  work: (cluster: LeasedCluster) => Promise<T>,
): Promise<T> {
  const run = async (cluster: LeasedCluster) => {
    // Each takes its own Lease first, and then looks at that of the other: an upgrade that this does not see takes this one.
    await expectNoUpgrade(cluster, server);
    return await work(cluster);
  };
  try {
    return await underLease(outside, server.target.namespace, runId, { run }, { name: rehearsalLeaseName });
  } catch (error) {
    if (!(error instanceof UpgradeError && error.code === 'lease-lost')) throw error;
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

/**
 * For an upgrade: ends a rehearsal that is at work, and removes all that rehearsals have left. What fails here only costs room and load, so it is a warning.
 * A call that was on its way when the Lease was taken may take effect after this, so that an upgrade asks for it again.
 * @param context of the run that holds the upgrade's Lease
 */
export async function endRehearsals(
  outside: Connected,
  runId: string,
  context: Omit<Sweeping, 'cluster'>,
): Promise<void> {
  const { target, log } = context;
  const { namespace } = target;
  try {
    if ((await outside.connection.find('leases', rehearsalLeaseName, namespace)) === undefined) return;
    const { removed, late } = await underLease(
      outside,
      namespace,
      runId,
      { run: (cluster) => sweep({ ...context, cluster }) },
      { name: rehearsalLeaseName, seizes: true },
    );
    if (removed.length > 0) log.info(`Removed what a rehearsal had made: ${removed.join(', ')}`);
    if (late !== undefined) log.annotate('warning', 'rehearsal', `${sentence(late.what)} ${late.remedy}`);
  } catch (error) {
    if (error instanceof CancelledError || !isRunError(error)) throw error;
    log.annotate('warning', 'rehearsal', `The action could not end the rehearsals of this server: ${describe(error)}`);
  }
}
