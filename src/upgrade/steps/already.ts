import { readServer } from '../../database/server.ts';
import type { Database } from '../../database/database.ts';
import { ClusterError } from '../../common/errors.ts';
import type { ClusterReader } from '../../ports/cluster.ts';
import { serverImage, type Target } from '../../target/target.ts';
import type { Image } from '../../common/image.ts';
import { upgrade } from '../../common/versions.ts';
import { findJournal } from '../../journal/find-journal.ts';
import type { JournalSeal } from '../../journal/seal.ts';

/** The version that serves, if the upgrade is complete: the image is set, the server answers, and no journal is open. */
export async function alreadyUpgraded(
  cluster: ClusterReader,
  target: Target,
  database: Database,
  serving: Image,
  seal: JournalSeal,
): Promise<string | undefined> {
  if (serverImage(target) !== serving.reference || target.pod === undefined) return undefined;
  const journal = await findJournal(cluster, target, seal);
  if (journal?.isClosed === false) return undefined;
  try {
    const { versionNumber, version } = await readServer(database);
    return Math.floor(versionNumber / 10000) === upgrade.to ? version : undefined;
  } catch (error) {
    // The checks that follow report what is wrong with it.
    if (error instanceof ClusterError) return undefined;
    throw error;
  }
}
