import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { UpgradeError } from '../../common/errors.ts';
import type { Inputs } from '../../inputs/inputs.ts';
import { bootJobName } from '../../objects/upgrade-job.ts';
import { jobFailure } from '../../job/follow-job.ts';
import type { JobResult } from '../../job/result.ts';
import type { Target } from '../../target/target.ts';
import { clockSkew } from '../../ports/clock.ts';
import { claimGone } from '../../storage/claim-gone.ts';
import { givenVolume, noCopy, setPolicyOfClaims } from '../../storage/given-volume.ts';
import { planJob, runJob } from '../job/job-run.ts';
import type { Move } from '../../report/planned-step.ts';
import type { PlanContext, Context } from '../contract/step.ts';
import { expectFreeName, removeJob } from '../job/remove-job.ts';
import { copyClaim, copyName } from '../../objects/copy.ts';
import { copyJobName } from '../../objects/copy-job.ts';
import type { Source } from '../../objects/backup.ts';
import { remedyText } from '../../text/remedy.ts';
import { setReclaimPolicy } from './reclaim-policy.ts';

/**
 * Makes a claim for a copy of the volume. Removes first what an earlier try left.
 * @param source what the storage fills it from; undefined where a Job of ours does
 * @throws UpgradeError when a claim or a Job of these names is not ours
 */
export async function makeCopy(context: Context, source: Source | undefined): Promise<void> {
  const { cluster, target, journal } = context;
  await freeNames(context);
  // Nothing has the name at this moment, so what has it from now on is the copy.
  await journal.note('copy', await cluster.now());
  await cluster.create('persistentvolumeclaims', copyClaim(target, copyName(target), source), {
    namespace: target.namespace,
  });
}

/**
 * Removes what an earlier try left of a copy, so that nothing has the names which a copy needs.
 * @throws UpgradeError when a claim or a Job of these names is not ours
 */
export async function freeNames(context: Context): Promise<void> {
  await expectFreeName(context, bootJobName);
  await removeCopy(context);
  await claimGone(context, copyName(context.target));
}

/**
 * Starts PostgreSQL 12 on the volume of a claim, which no other pod uses, and stops it again.
 * @param limits how long to wait for the volume to be made and for the server
 * @returns the Job's result
 * @throws UpgradeError when PostgreSQL 12 does not start there
 */
export async function boot(
  context: Context,
  claimName: string,
  limits: Pick<Inputs, 'jobStartTimeout' | 'jobTimeout'> = context.inputs,
): Promise<JobResult> {
  const { target, inputs } = context;
  const end = await runJob(
    {
      ...context,
      target: { ...target, volume: { ...target.volume, claimName } },
      inputs: { ...inputs, jobStartTimeout: limits.jobStartTimeout, jobTimeout: limits.jobTimeout },
    },
    'boot',
    undefined,
    () => expectCopied(context, claimName),
  );
  if (end.exitCode === 0 && end.result !== undefined) return end.result;
  throw new UpgradeError(
    'copy-does-not-start',
    `PostgreSQL 12 does not start on PersistentVolumeClaim ${claimName}, a copy of the volume: ${jobFailure(end)}`,
    "Look at this run's log, then at the storage and its snapshots. A copy that does not start is no backup.",
  );
}

/**
 * For a claim that the storage fills, once its Job has a pod: most classes choose the volume only then.
 * @throws UpgradeError `volume-given`; the volume is retained, and the Job is gone
 */
async function expectCopied(context: Context, claimName: string): Promise<void> {
  const { cluster, target } = context;
  const claim = await cluster.find('persistentvolumeclaims', claimName, target.namespace);
  if (claim?.spec?.dataSource === undefined) return;
  const given = await givenVolume(cluster, claim);
  if (given === undefined) return;
  await removeJobOfCopy(context, bootJobName);
  await setPolicyOfClaims(context, given, claim, 'Retain');
  const volume = given.metadata?.name ?? '';
  throw new UpgradeError(
    'volume-given',
    `${noCopy(claimName, volume)} The action keeps that volume (Retain). PostgreSQL 12 may have been started on it.`,
    `Look at what PersistentVolume ${volume} holds, and whose it is. Then run again: that volume is free no more, so the storage makes a copy.`,
  );
}

/** What `boot` will make. */
export function planBoot(draft: PlanContext, claimName: string, until: string): Move[] {
  const target = { ...draft.target, volume: { ...draft.target.volume, claimName } };
  return planJob({ ...draft, target }, 'boot', until);
}

/**
 * Removes the copy, its volume and the Jobs that booted or filled it. A Job of somebody else under that name stays, with a warning.
 * @throws UpgradeError when a claim of that name is not ours
 */
export async function removeCopy(context: Context): Promise<void> {
  const { cluster, target } = context;
  const { namespace } = target;
  const name = copyName(target);
  await removeJobOfCopy(context, bootJobName);
  if (isColdCopy(context)) await removeJobOfCopy(context, copyJobName);
  const claim = await cluster.find('persistentvolumeclaims', name, namespace);
  if (claim === undefined) return;
  expectOurCopy(claim, context);
  await setPolicyOfCopy(context, claim);
  await cluster.delete('persistentvolumeclaims', name, namespace);
}

/** A class that retains volumes would keep the copy's volume for ever. A volume that was there before is not ours to delete. */
async function setPolicyOfCopy(context: Context, claim: V1PersistentVolumeClaim): Promise<void> {
  const { metadata: { name = '' } = {}, spec } = claim;
  if (spec?.volumeName === undefined) return;
  const given = await givenVolume(context.cluster, claim);
  if (given === undefined) {
    await setReclaimPolicy(context, spec.volumeName, 'Delete');
    return;
  }
  // One that our Job filled was empty before: its policy is its owner's matter.
  if (spec.dataSource === undefined) return;
  await setPolicyOfClaims(context, given, claim, 'Retain');
  context.results.warnings.push(`${noCopy(name, given.metadata?.name ?? '')} The action keeps that volume (Retain).`);
}

/** Whether Jobs of ours fill the copies, and not the storage. */
export function isColdCopy({ journal }: Pick<Context, 'journal'>): boolean {
  return journal.record.backup.kind === 'copy' || journal.noted.copying !== undefined;
}

/** Removes a Job that writes to a copy alone. One of somebody else under that name stays, with a warning. */
export async function removeJobOfCopy(context: Context, name: string): Promise<void> {
  try {
    await removeJob(context, name, { onServersVolume: false });
  } catch (error) {
    if (!(error instanceof UpgradeError && error.code === 'job-foreign')) throw error;
    context.results.warnings.push(`${error.message} ${remedyText(error.remedy)}`);
  }
}

/**
 * Looks at what nobody can change: the copy was made after this upgrade had noted that it would make it, when no claim had the name, and was filled from a snapshot or a claim of
 * ours, or by a Job of ours. A label proves nothing, since others may set and remove it. The volume that a noted exchange names is a copy's too.
 * @throws UpgradeError `claim-foreign`
 */
export function expectOurCopy(
  { metadata, spec }: V1PersistentVolumeClaim,
  { target, journal }: Pick<Context, 'target' | 'journal'>,
): void {
  const { copy, exchange } = journal.noted;
  const isExchanged = exchange !== undefined && spec?.volumeName === exchange.volume;
  const isMadeSince = copy !== undefined && !isOlder(metadata?.creationTimestamp, copy);
  const isFilledByUs = isColdCopy({ journal }) && spec?.dataSource === undefined;
  if ((isMadeSince || isExchanged) && (isFilledByUs || isFromOurs(target, spec))) return;
  throw new UpgradeError(
    'claim-foreign',
    `PersistentVolumeClaim ${metadata?.name ?? ''} is not a copy that this upgrade made, by its creation time and its data source. The action needs its name for a copy. It left the claim as it is.`,
    'If nobody needs the claim, delete it. Then run again.',
  );
}

/** Whether a claim was filled from the server's claim, or from a snapshot or clone of it by this action. */
export function isFromOurs({ volume: { claimName } }: Target, spec: V1PersistentVolumeClaim['spec']): boolean {
  const { kind, name = '' } = spec?.dataSource ?? {};
  return (
    (kind === 'PersistentVolumeClaim' && name === claimName) ||
    (name.startsWith(`${claimName}-`) && /-(live|before-upgrade)-\d{14}$/.test(name))
  );
}

function isOlder(made: Date | undefined, noted: Date): boolean {
  return made !== undefined && new Date(made).getTime() < noted.getTime() - clockSkew;
}
