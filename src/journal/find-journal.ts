import type { ClusterReader } from '../ports/cluster.ts';
import { volumeName, type Target } from '../target/target.ts';
import { hasGate } from '../objects/scheduling-gate.ts';
import { journalGone, saidByGate } from './errors.ts';
import { Journal } from './journal.ts';
import type { JournalSeal } from './seal.ts';

/**
 * The journal of an earlier run on this server, if there is one. The scheduling gate shows one too, also where the PersistentVolume may not be read: it is
 * set after the journal is made, and removed before the journal is closed.
 * @throws UpgradeError what `Journal.find` throws
 */
export async function findJournal<C extends ClusterReader>(
  cluster: C,
  target: Target,
  seal: JournalSeal,
): Promise<Journal<C> | undefined> {
  const journal = await Journal.find(cluster, target.namespace, seal, volumeName(target));
  if (journal === undefined && hasGate(target.statefulSet.spec?.template.spec))
    throw journalGone(target.namespace, saidByGate(target.name));
  return journal;
}
