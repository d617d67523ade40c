// What is left of rehearsals that were killed, and the result of the last one, for a cleanup: listed with its size, and removed by name under the Lease of the rehearsals.
// Decision: docs/decisions/0032-cleanup.md
import type { V1PersistentVolume } from '@kubernetes/client-node';
import { bytesOf } from '../common/bytes.ts';
import { CancelledError, sentence, UpgradeError } from '../common/errors.ts';
import { ofRehearsal, type JournalSeal } from '../journal/seal.ts';
import { awaitNoHolder, findHolding, type Connected } from '../lock/lease.ts';
import { underLease } from '../lock/under-lease.ts';
import { isOfRehearsal, rehearsalLeaseName, rehearsalRecordName } from '../objects/rehearsal.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { isOlder } from '../storage/given-volume.ts';
import { contentOf } from '../storage/snapshot-content.ts';
import { storageGone } from '../storage/storage-gone.ts';
import type { Target } from '../target/target.ts';
import { findNamed, sweep, type Sweeping } from './sweep.ts';
import { volumeOfCopy } from './volume.ts';

/** Something that rehearsals have left. */
interface Leftover {
  readonly kind: 'Pod' | 'Job' | 'PersistentVolumeClaim' | 'VolumeSnapshot' | 'ConfigMap';
  readonly name: string;
  /** UID. */
  readonly id: string;
  /** What it takes in the storage; undefined where nothing tells it. */
  readonly bytes?: number | undefined;
  /** What it is. */
  readonly why: string;
}

interface Leftovers {
  /** What a cleanup may remove. */
  readonly items: readonly Leftover[];
  /** What it leaves, and why. */
  readonly left: readonly Pick<Leftover, 'kind' | 'name' | 'why'>[];
}

/** The server, and what tells whose a result is. */
interface Server {
  readonly target: Target;
  readonly seal: JournalSeal;
}

/**
 * What rehearsals have left of this server. While one lives, all of it is its own.
 * @throws ClusterError
 */
export async function readLeftovers(cluster: ClusterReader, server: Server): Promise<Leftovers> {
  const [found, lease] = await Promise.all([
    findLeftovers(cluster, server),
    findHolding(cluster, server.target.namespace, rehearsalLeaseName),
  ]);
  if (lease === undefined || (lease.isExpired && lease.isForged !== true)) return found;
  const why =
    lease.isForged === true
      ? `no run of this action wrote Lease ${rehearsalLeaseName}: its renewTime is in the future`
      : `a rehearsal is at work: ${lease.holder} holds Lease ${rehearsalLeaseName}`;
  return { items: [], left: [...found.left, ...found.items.map(({ kind, name }) => ({ kind, name, why }))] };
}

/** Whoever holds the Lease. */
async function findLeftovers(cluster: ClusterReader, { target, seal }: Server): Promise<Leftovers> {
  const [made, record] = await Promise.all([
    findMade(cluster, target),
    cluster.find('configmaps', rehearsalRecordName, target.namespace),
  ]);
  const [other] = made.filter(({ isOurs }) => !isOurs);
  // A sweep ends at what has a name of a rehearsal's, and is none.
  const [items, left] =
    other === undefined
      ? [made.map(({ item }) => item), []]
      : [[], made.map(({ item: { kind, name }, isOurs }) => ({ kind, name, why: isOurs ? besides(other) : notMade }))];
  if (record === undefined) return { items, left };
  const { name = '', uid = '' } = record.metadata ?? {};
  const kind = 'ConfigMap';
  return (await seal.for(ofRehearsal).isAuthentic(target.namespace, record.data ?? {}))
    ? { items: [...items, { kind, name, id: uid, why: 'the result of the last rehearsal' }], left }
    : { items, left: [...left, { kind, name, why: "nobody who knows the superuser's password wrote it" }] };
}

const notMade = 'no rehearsal of this server made it';

function besides({ item: { kind, name } }: Made): string {
  return `no rehearsal made ${kind} ${name}, which has the name of one of its objects. The action removes nothing of a rehearsal beside it`;
}

interface Made {
  readonly item: Leftover;
  readonly isOurs: boolean;
}

async function findMade(cluster: ClusterReader, target: Target): Promise<Made[]> {
  const of = isOfRehearsal(target);
  const { pods, jobs, claim, snapshot } = await findNamed(cluster, target);
  const volume = claim && (await volumeOfCopy(cluster, target, claim));
  const named = ({ metadata }: { readonly metadata?: { readonly name?: string; readonly uid?: string } }) => ({
    name: metadata?.name ?? '',
    id: metadata?.uid ?? '',
  });
  return [
    ...pods.map((pod): Made => ({
      item: { kind: 'Pod', ...named(pod), why: 'a server of a rehearsal, on its copy of the volume' },
      isOurs: of.pod(pod),
    })),
    ...jobs.map((job): Made => ({
      item: { kind: 'Job', ...named(job), why: 'a Job of a rehearsal, on its copy of the volume' },
      isOurs: of.job(job),
    })),
    ...(claim === undefined ? [] : [{ item: claimItem(named(claim), volume, claim), isOurs: of.claim(claim) }]),
    ...(snapshot === undefined
      ? []
      : [
          {
            item: {
              ...{ kind: 'VolumeSnapshot' as const, ...named(snapshot) },
              bytes: bytesOf(snapshot.status?.restoreSize),
              why: 'a rehearsal made its copy from it; it goes with its content',
            },
            isOurs: of.snapshot(snapshot),
          },
        ]),
  ];
}

function claimItem(
  named: Pick<Leftover, 'name' | 'id'>,
  volume: V1PersistentVolume | undefined,
  claim: Parameters<typeof isOlder>[1],
): Leftover {
  const kind = 'PersistentVolumeClaim';
  if (volume !== undefined && isOlder(volume, claim))
    return {
      kind,
      ...named,
      why: `a claim of a rehearsal; PersistentVolume ${volume.metadata?.name ?? ''} is no copy, and stays`,
    };
  const bytes = bytesOf(volume?.spec?.capacity?.['storage']);
  return { kind, ...named, bytes, why: 'the copy of a rehearsal, with its volume' };
}

/**
 * Waits while the Lease of the rehearsals may be that of a run which has died: that looks like one which lives, for a minute at most.
 * @throws CancelledError
 */
export async function awaitDeadRehearsal(deps: Deps, namespace: string): Promise<void> {
  try {
    await awaitNoHolder(deps, namespace, rehearsalLeaseName);
  } catch (error) {
    // One that lives is told where its objects are listed, and so is what can't be read.
    if (error instanceof CancelledError) throw error;
  }
}

interface Removing extends Omit<Sweeping, 'cluster'> {
  readonly seal: JournalSeal;
  /** Called for each that was seen to be gone. */
  readonly onRemoved: (item: Leftover) => void;
}

/**
 * Removes what rehearsals have left, and waits until the storage has it back. A rehearsal that lives keeps its Lease, and all that it made.
 * @param runId the run's address
 * @throws ClusterError, WaitError
 */
export async function removeLeftovers(outside: Connected, runId: string, context: Removing): Promise<void> {
  const { target, log } = context;
  const run = (cluster: LeasedCluster) => removeAll(cluster, context);
  try {
    await underLease(outside, target.namespace, runId, { run }, { name: rehearsalLeaseName });
  } catch (error) {
    if (!(error instanceof UpgradeError && ['upgrade-held', 'lease-foreign'].includes(error.code))) throw error;
    log.annotate(
      'warning',
      'rehearsal',
      `Another run has taken Lease ${rehearsalLeaseName}. The cleanup leaves what rehearsals have made.`,
    );
  }
}

async function removeAll(cluster: LeasedCluster, context: Removing): Promise<void> {
  const { target, log, onRemoved } = context;
  const { namespace } = target;
  const sweeping = { ...context, cluster };
  const before = await findLeftovers(cluster, context);
  if (before.items.some(({ kind }) => kind !== 'ConfigMap')) {
    const { claim, snapshot } = await findNamed(cluster, target);
    const volume = claim && (await volumeOfCopy(cluster, target, claim));
    const content = snapshot && (await contentOf(sweeping, snapshot));
    const { late } = await sweep(sweeping);
    if (late !== undefined) log.annotate('warning', 'rehearsal', `${sentence(late.what)} ${late.remedy}`);
    const volumeUid = volume?.metadata?.uid;
    if (claim !== undefined && volume !== undefined && volumeUid !== undefined && !isOlder(volume, claim))
      await storageGone(sweeping, 'persistentvolumes', volume.metadata?.name ?? '', volumeUid);
    if (content?.metadata.uid !== undefined)
      await storageGone(sweeping, 'volumesnapshotcontents', content.metadata.name, content.metadata.uid);
  }
  const record = before.items.find(({ kind }) => kind === 'ConfigMap');
  if (record !== undefined)
    await cluster.delete('configmaps', record.name, namespace, { preconditions: { uid: record.id } });
  const after = await findLeftovers(cluster, context);
  const isThere = ({ kind, name }: Leftover) =>
    [...after.items, ...after.left].some((one) => one.kind === kind && one.name === name);
  for (const item of before.items.filter((one) => !isThere(one))) {
    log.info(`Removed ${item.kind} ${item.name}`);
    onRemoved(item);
  }
}
