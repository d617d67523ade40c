import { FencingTokenCluster } from './fencing-token-cluster.ts';
import { HeldLease, type Connected, type Taking } from './lease.ts';

/** What is done under a Lease. */
interface Work<T> {
  /** @param confirm has the API server say whether the Lease is still held, and throws `lease-lost` where another run has it; one that does not answer has given it to nobody */
  readonly run: (cluster: FencingTokenCluster, confirm: () => Promise<void>) => Promise<T>;
  /** Done at the end, whatever happened, unless the Lease is lost. */
  readonly end?: (cluster: FencingTokenCluster) => Promise<void>;
}

/**
 * Does the work as the only run that holds the Lease, with a cluster that refuses every write once another run has taken it.
 * @param holder the run's address, which other runs report
 * @throws UpgradeError `upgrade-held` when a living run holds it, and `lease-lost`, whatever else happened, when another one took it
 */
export async function underLease<T>(
  outside: Connected,
  namespace: string,
  holder: string,
  { run, end }: Work<T>,
  taking?: Taking,
): Promise<T> {
  const lease = await HeldLease.acquire(outside, namespace, holder, taking);
  const cluster = new FencingTokenCluster(outside.connection, lease, namespace, outside.log);
  const confirm = async () => {
    await lease.renew().catch(() => undefined);
    lease.expectHeld();
  };
  try {
    return await run(cluster, confirm);
  } catch (error) {
    // What another run did may have caused the failure: then what the error says of the server is no longer true.
    await lease.renew().catch(() => undefined);
    if (lease.lost !== undefined && lease.lost !== error) outside.log.info(String(error));
    throw lease.lost ?? error;
  } finally {
    if (lease.lost === undefined) await end?.(cluster);
    await lease.release();
  }
}
