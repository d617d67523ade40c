import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { UpgradeError } from '../../common/errors.ts';
import { bootJobName, jobName, revertJobName } from '../../objects/upgrade-job.ts';
import { shell } from '../../text/shell.ts';
import { waitFor } from '../../ports/wait.ts';
import { fencingTokenLabel } from '../../objects/fencing-token.ts';
import { annotationKey } from '../../common/grammar.ts';
import { claimGone } from '../../storage/claim-gone.ts';
import { expectOurCopy, isColdCopy, removeJobOfCopy } from './copy.ts';
import { copyName, kindOfVolume, replacedAnnotation, replacedBy } from '../../objects/copy.ts';
import { copyJobName } from '../../objects/copy-job.ts';
import { expectExchangeable, expectOurVolume } from './our-volume.ts';
import type { Journal } from '../../journal/journal.ts';
import type { VolumeSwap } from '../../journal/notes.ts';
import { removeAnchor } from '../server/anchor.ts';
import { removeJob } from '../job/remove-job.ts';
import type { Context } from '../contract/step.ts';
import { setReclaimPolicy } from './reclaim-policy.ts';

/** The claim that an unfinished exchange of volumes may not have made yet. */
export function claimInSwap(journal: Journal | undefined): V1PersistentVolumeClaim | undefined {
  return journal?.isClosed === false ? journal.noted.exchange?.claim : undefined;
}

/** Notes that the volume of the copy replaces the server's. */
export async function planSwap(context: Context): Promise<VolumeSwap> {
  const { cluster, target, journal } = context;
  const [claim, copy] = await Promise.all(
    [target.volume.claimName, copyName(target)].map((name) =>
      cluster.find('persistentvolumeclaims', name, target.namespace),
    ),
  );
  const [former, volume] = [claim?.spec?.volumeName, copy?.spec?.volumeName];
  if (claim === undefined || former === undefined || volume === undefined)
    throw new UpgradeError(
      'claim-unbound',
      `PersistentVolumeClaim ${target.volume.claimName} or its copy ${copyName(target)} has no volume (${former ?? 'none'}, ${volume ?? 'none'}).`,
      'Find out who changed them. The backup still exists. Then run again.',
    );
  const exchange = { claim: renewed(claim, volume), volume, former };
  warnOfLostAnnotations(context, claim, exchange.claim);
  await journal.note('exchange', exchange);
  return exchange;
}

/** The claim without what Kubernetes and this action wrote into it, for another volume. */
export function renewed(before: V1PersistentVolumeClaim, volumeName: string): V1PersistentVolumeClaim {
  const { metadata, spec } = before;
  const { name = '', namespace = '', labels = {}, annotations = {} } = metadata ?? {};
  const { resources } = spec ?? {};
  const isOurs = (key: string) => key !== fencingTokenLabel;
  const isTheirs = (key: string) => !ofVolume.test(key);
  return {
    metadata: { name, namespace, labels: kept(labels, isOurs), annotations: withinLimit(kept(annotations, isTheirs)) },
    spec: {
      ...kindOfVolume(before),
      ...(resources === undefined ? {} : { resources }),
      volumeName,
    },
  };
}

// pv.kubernetes.io/bind-completed, volume.kubernetes.io/selected-node and similar annotations describe the former volume.
const ofVolume = /^(pv|volume)(\.beta)?\.kubernetes\.io\//;

/** Bytes as JSON, of the 1 MiB that a ConfigMap holds. Annotations on the claim must not make the journal too large to write. */
const annotationsLimit = 32_768;

/** Those that the journal can hold, the shortest first. */
function withinLimit(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const size = (entry: readonly string[]) => new TextEncoder().encode(JSON.stringify(entry)).length;
  let left = annotationsLimit;
  const fit = Object.entries(annotations)
    .map((entry) => ({ entry, bytes: size(entry) }))
    .sort((a, b) => a.bytes - b.bytes)
    .filter(({ entry: [key], bytes }) => {
      if (!annotationKey.safeParse(key).success || bytes > left) return false;
      left -= bytes;
      return true;
    });
  return Object.fromEntries(fit.map(({ entry }) => entry));
}

function warnOfLostAnnotations(
  { results }: Context,
  before: V1PersistentVolumeClaim,
  after: V1PersistentVolumeClaim,
): void {
  const { name = '', annotations = {} } = before.metadata ?? {};
  const lost = Object.keys(annotations).filter(
    (key) => !ofVolume.test(key) && after.metadata?.annotations?.[key] === undefined,
  );
  if (lost.length === 0) return;
  const names = lost.slice(0, 5).map((key) => key.slice(0, 100));
  results.warnings.push(
    `The action creates PersistentVolumeClaim ${name} again for the restored volume without ${String(lost.length)} of its annotations, which are too long: ${names.join(', ')}${lost.length > 5 ? ' …' : ''}. Set them again if you need them.`,
  );
}

function kept(texts: Readonly<Record<string, string>>, keep: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([key]) => keep(key)));
}

/**
 * Gives the server's claim the volume of the copy. Each move looks first whether
 * it is done, so that another run can resume anywhere. Neither volume is ever deleted:
 * both have the policy Retain. The new one is promised to the claim's name before the old claim
 * is deleted. So whoever creates the claim in between gets that volume, and never an empty one.
 * Decision: docs/decisions/0005-backup.md
 */
export async function swapVolume(context: Context, { claim, volume, former }: VolumeSwap): Promise<void> {
  const { cluster, target, log } = context;
  const { namespace } = target;
  const { claimName } = target.volume;
  await expectExchangeable(context, volume);
  await setReclaimPolicy(context, volume, 'Retain');
  await setReclaimPolicy(context, former, 'Retain');
  await removeJob(context, bootJobName, { onServersVolume: false });
  if (isColdCopy(context)) await removeJobOfCopy(context, copyJobName);
  const copy = await cluster.find('persistentvolumeclaims', copyName(target), namespace);
  if (copy !== undefined) {
    expectOurCopy(copy, context);
    await cluster.delete('persistentvolumeclaims', copyName(target), namespace);
  }
  await claimGone(context, copyName(target));
  await promise(context, volume);
  const before = await cluster.find('persistentvolumeclaims', claimName, namespace);
  if (before?.spec?.volumeName === former || before?.metadata?.deletionTimestamp !== undefined) {
    // Their ended pods name the claim too, and keep Kubernetes from deleting it.
    await removeAnchor(context);
    for (const job of [jobName, revertJobName]) await removeJob(context, job, { onServersVolume: true });
    await cluster.delete('persistentvolumeclaims', claimName, namespace);
    await claimGone(context, claimName);
  }
  if ((await cluster.find('persistentvolumeclaims', claimName, namespace)) === undefined)
    await cluster.create('persistentvolumeclaims', claim, { namespace });
  await bound(context, volume);
  await markReplaced(context, former, volume);
  log.info(`PersistentVolumeClaim ${claimName} now has PersistentVolume ${volume}; kept ${former} (Retain)`);
}

/**
 * Says on the former volume that this action replaced it. A cleanup removes no other volume that the server had, so without the mark the volume stays: the way back does not
 * depend on it.
 */
async function markReplaced({ cluster, target }: Context, former: string, volume: string): Promise<void> {
  const now = await cluster.find('persistentvolumes', former);
  const { uid, annotations } = now?.metadata ?? {};
  const claimRef = now?.spec?.claimRef;
  const isServers = claimRef?.namespace === target.namespace && claimRef.name === target.volume.claimName;
  if (now === undefined || annotations === undefined || !isServers) return;
  const value = replacedBy(now, volume);
  if (annotations[replacedAnnotation] === value) return;
  await cluster.patch('persistentvolumes', former, target.namespace, [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/spec/claimRef/uid', value: claimRef.uid },
    { op: 'add', path: `/metadata/annotations/${replacedAnnotation.replaceAll('/', '~1')}`, value },
  ]);
}

/** A reference without UID promises the volume to the next claim of that name. */
async function promise({ cluster, target }: Context, volume: string): Promise<void> {
  const { claimName } = target.volume;
  const { namespace } = target;
  const now = await cluster.find('persistentvolumes', volume);
  if (now?.spec?.claimRef?.name === claimName && now.spec.claimRef.namespace === namespace) return;
  expectOurVolume(now, target);
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName };
  await cluster.patch('persistentvolumes', volume, namespace, [
    { op: 'test', path: '/metadata/uid', value: now?.metadata?.uid },
    { op: 'add', path: '/spec/claimRef', value: claimRef },
  ]);
}

async function bound({ cluster, target, inputs, ...context }: Context, volume: string): Promise<void> {
  const { claimName } = target.volume;
  const what = `PersistentVolumeClaim ${claimName} to be bound to ${volume}`;
  const lookAt = shell`kubectl -n ${target.namespace} describe pvc ${claimName}`;
  const limit = inputs.detachTimeout;
  await waitFor({ what, limit, limitInput: 'detach-timeout', lookAt, ...context }, async () => {
    const now = await cluster.find('persistentvolumeclaims', claimName, target.namespace);
    const has = now?.spec?.volumeName;
    if (has !== undefined && has !== volume)
      throw new UpgradeError(
        'claim-taken',
        `Somebody else created PersistentVolumeClaim ${claimName} again, and it has PersistentVolume ${has}.`,
        `The scheduling gate keeps PostgreSQL stopped, so no server runs on that volume. Delete that claim and run again: the claim then gets PersistentVolume ${volume}.`,
      );
    return has === volume && now?.status?.phase === 'Bound'
      ? { done: undefined }
      : { pending: `its phase is ${now?.status?.phase ?? 'unknown, it does not exist'}` };
  });
}
