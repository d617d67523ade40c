import type { Inputs } from '../inputs/inputs.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Runner } from '../ports/runner.ts';
import { readPassword } from '../target/credentials.ts';
import { discover } from '../target/discover.ts';
import type { SecretKey, Target } from '../target/target.ts';
import { claimInSwap } from '../upgrade/backup/volume-swap.ts';
import { claimByEvidence, claimMissing } from '../upgrade/backup/open-swap.ts';
import { hasGate } from '../objects/scheduling-gate.ts';
import { Journal } from '../journal/journal.ts';
import { JournalSeal } from '../journal/seal.ts';

/** What the superuser's Secret gives access to. */
export interface Opened {
  readonly password: string;
  readonly seal: JournalSeal;
}

export type Mask = Runner['mask'];

interface Outside {
  readonly cluster: ClusterReader;
  readonly inputs: Inputs;
  readonly crypto: Crypto;
  /** Gets the password, and all else in its Secret, before anything else does. */
  readonly mask: Mask;
}

/**
 * Finds the target. If a restore is just creating the server's claim again, the journal describes it: an authentic one only. If somebody has agreed to a rollback
 * without the journal, the PersistentVolumes do.
 * @returns also a function that reads the Secret, once however often it is asked
 * @throws ConfigurationError, ClusterError; UpgradeError for a journal that is needed and can't be trusted, and where nothing shows which volume is the server's
 */
export async function locate({ cluster, inputs, crypto, mask }: Outside): Promise<{
  readonly target: Target;
  readonly open: () => Promise<Opened>;
}> {
  const { namespace } = inputs;
  let opened: Promise<Opened> | undefined;
  const open = (secret: SecretKey) =>
    (opened ??= readPassword(cluster, { namespace, secret }, (value, name) => {
      mask(value, { name, among: [namespace, secret.name, secret.key, inputs.statefulset] });
    }).then((password) => ({ password, seal: new JournalSeal(crypto, password) })));
  const target = await discover(cluster, inputs, async (server) => {
    if (inputs.consent?.withoutJournal === true) return await claimByEvidence(cluster, server);
    const journal = await Journal.find(cluster, namespace, (await open(server.secret)).seal);
    // Somebody deleted the journal in the middle of an upgrade.
    if (journal === undefined && hasGate(server.statefulSet.spec?.template.spec)) throw claimMissing(server);
    return claimInSwap(journal);
  });
  return { target, open: () => open(target.secret) };
}
