import { isRunError, UpgradeError, type RunError } from '../common/errors.ts';
import { withServersImage, type Inputs } from '../inputs/inputs.ts';
import { jobName } from '../objects/upgrade-job.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Runner } from '../ports/runner.ts';
import { findHolding } from '../lock/lease.ts';
import { serverImage, type Target } from '../target/target.ts';
import { findJournal } from '../journal/find-journal.ts';
import type { Journal } from '../journal/journal.ts';
import { journalName } from '../objects/journal-name.ts';
import { statusOf, type Status } from '../upgrade/status.ts';
import { locate, type Mask, type Opened } from './locate.ts';
import { remedyText } from '../text/remedy.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Reports where an upgrade stands and what to run next. Reads only.
 * @throws ConfigurationError, ClusterError
 */
export async function tellStatus(context: ClusterModeContext): Promise<void> {
  const { progress, log, signal } = context;
  const cluster = context.cluster.interruptedBy(signal);
  log.info(`Cluster: ${cluster.address}`);
  const { status, inputs } = await readStatus({ ...context, cluster });
  progress.inputs = inputs;
  progress.status = status;
  progress.verdict = status.state;
  await log.group(`Status: ${status.state}`, () => {
    for (const line of status.evidence) log.info(line);
    return Promise.resolve();
  });
  log.annotate('notice', `status: ${status.state}`, `${status.safe} Next: ${remedyText(status.next)}`);
}

interface Reading {
  readonly cluster: ClusterReader;
  readonly inputs: Inputs;
  readonly crypto: Crypto;
  readonly runner: Pick<Runner, 'mask'>;
}

/**
 * Reads where an upgrade stands.
 * @returns also the inputs with the images that the server's own one leads to
 * @param dead address of a run that has certainly ended, also if its Lease has not expired yet
 * @throws ConfigurationError, ClusterError
 */
export async function readStatus(
  { runner, ...outside }: Reading,
  dead?: string,
): Promise<{ status: Status; inputs: Inputs }> {
  const { cluster } = outside;
  const mask: Mask = (secret, options) => {
    runner.mask(secret, options);
  };
  const { target, open } = await locate({ ...outside, mask });
  const inputs = withServersImage(outside.inputs, serverImage(target));
  const { journal, doubt } = await readJournal(cluster, target, open);
  const [lease, jobs] = await Promise.all([
    findHolding(cluster, inputs.namespace),
    cluster.list('jobs', { namespace: inputs.namespace }),
  ]);
  const ours = jobs.filter((job) => job.metadata?.name?.startsWith(jobName) === true);
  const holding = lease?.holder === dead ? lease && { ...lease, isExpired: true } : lease;
  const newImage = inputs.servingImage.reference;
  return { status: statusOf({ target, journal, doubt, holding, jobs: ours, newImage }), inputs };
}

/** The journal, or why it can't be trusted: what stops an upgrade must not stop `mode: status`. */
async function readJournal(
  cluster: ClusterReader,
  target: Target,
  open: () => Promise<Opened>,
): Promise<{ readonly journal?: Journal | undefined; readonly doubt?: RunError }> {
  const { namespace } = target;
  try {
    const { seal } = await open();
    return { journal: await findJournal(cluster, target, seal) };
  } catch (error) {
    if (!isRunError(error)) throw error;
    if (error instanceof UpgradeError) return { doubt: error };
    // Without the Secret a journal can't be judged; without a journal there is nothing to judge.
    if ((await cluster.find('configmaps', journalName, namespace)) === undefined) return {};
    return { doubt: error };
  }
}
