// The backup without the storage's help: a Job of ours copies the stopped server's volume to another one and compares every file.
// Decision: docs/decisions/0031-cold-copy.md
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { describe, UpgradeError, WaitError } from '../../common/errors.ts';
import { known } from '../../common/known.ts';
import type { Inputs } from '../../inputs/inputs.ts';
import { followToEnd, jobFailure, waitForStart } from '../../job/follow-job.ts';
import type { JobResult } from '../../job/result.ts';
import { anchorNode } from '../../objects/anchor.ts';
import { backupClaimName, copyClaim, copyName } from '../../objects/copy.ts';
import { copyJob, copyJobName, trialBytes, type CopyWork } from '../../objects/copy-job.ts';
import { isOurJob } from '../../objects/ours.ts';
import { shell } from '../../text/shell.ts';
import { waitFor } from '../../ports/wait.ts';
import { timeToCome, type Move } from '../../report/planned-step.ts';
import { copyable } from '../../text/commands.ts';
import { oneLine } from '../../text/visible.ts';
import type { Context, PlanContext } from '../contract/step.ts';
import { expectAnchored } from '../job/job-run.ts';
import { expectFreeName } from '../job/remove-job.ts';
import { detach, unschedulable } from '../server/anchor.ts';
import { expectClaim } from '../server/claim.ts';
import { claimOfRun, claimToFill, differenceOf } from './claim-to-fill.ts';
import { isCompleteCopy, markComplete, planMarkComplete } from './complete-copy.ts';
import { isColdCopy, makeCopy, removeCopy, removeJobOfCopy } from './copy.ts';

type Limits = Pick<Inputs, 'jobStartTimeout' | 'jobTimeout'>;

/** Bytes a second at which a volume is expected to be written, and read again. */
const pace = 100 * 1024 * 1024;

/** What `takeCopy` will do. */
export function planCopy(draft: PlanContext): Move[] {
  const { target, settings, scripts } = draft;
  const copy = backupClaimName(target, timeToCome);
  const source = target.volume.claimName;
  const job = copyJob(target, settings, scripts, { command: 'copy', source, copy, node: anchorNode(target) });
  return [
    { does: 'create', resource: 'persistentvolumeclaims', object: claimOfRun(target, copy, settings.runId) },
    { does: 'create', resource: 'jobs', object: job, until: 'the copy is complete' },
    planMarkComplete(target, copy),
  ];
}

/**
 * Copies the volume of the stopped server to one of its own, unless the upgrade has done so. The journal names the backup only when the copy is complete.
 * @returns the name of its claim
 * @throws UpgradeError `copy-failed`; the server's volume is as it was
 */
export async function takeCopy(context: Context): Promise<string> {
  const { cluster, target, journal, results, log, timeline } = context;
  const { backup: noted } = journal.noted;
  const found = noted ? await cluster.find('persistentvolumeclaims', noted, target.namespace) : undefined;
  if (noted && found !== undefined && (await isCompleteCopy(cluster, target, found))) {
    log.info(`Found PersistentVolumeClaim ${noted}, to which the upgrade has copied the volume already`);
    return noted;
  }
  await expectClaim(context);
  const copy = await claimToFill(context);
  await expectAnchored(context);
  const node = results.isStillAttached === true ? results.anchor?.node : undefined;
  const work: CopyWork = { command: 'copy', source: target.volume.claimName, copy, node };
  const { message } = await runCopyJob(context, work, context.inputs, timeline.expectedTime('backup'));
  log.info(`PersistentVolumeClaim ${copy}: ${message}`);
  await markComplete(context, copy);
  await journal.note('backup', copy);
  return copy;
}

/** Before the server gets its volume again: ends a copy that is under way, and says of an incomplete one that it is no backup. */
export async function abandonCopy(context: Context): Promise<void> {
  const { cluster, target, journal, results } = context;
  const { copying } = journal.noted;
  if (journal.record.backup.kind !== 'copy' || copying === undefined) return;
  await endCopyJob(context);
  const claim = await cluster.find('persistentvolumeclaims', copying, target.namespace);
  if (claim === undefined || (await isCompleteCopy(cluster, target, claim))) return;
  if ((await differenceOf(context, claim)) !== undefined) return;
  results.warnings.push(
    `PersistentVolumeClaim ${copying} holds no complete copy of the volume, so it is no backup. Delete it: ${copyable(shell`kubectl -n ${target.namespace} delete pvc ${copying}`)}`,
  );
}

/** Removes the Job that copies, and waits until its pod is gone. It may be interrupted at any time, since it writes to the copy alone. */
export async function endCopyJob(context: Context): Promise<void> {
  const { cluster, target, inputs } = context;
  if (!isColdCopy(context)) return;
  await removeJobOfCopy(context, copyJobName);
  const what = `Job ${copyJobName} to be deleted`;
  await waitFor({ ...context, what, limit: inputs.shutdownTimeout, limitInput: 'shutdown-timeout' }, async () => {
    const now = await cluster.find('jobs', copyJobName, target.namespace);
    return now === undefined || !isOurJob(now) ? { done: undefined } : { pending: 'its pod still exists' };
  });
}

/**
 * Makes a claim like the server's, and copies the backup to it. The backup stays as it is.
 * @throws UpgradeError `copy-failed` when the backup is not what it was when it was made
 */
export async function restoreCopy(context: Context, backup: string): Promise<void> {
  // Somebody may have named a copy where the upgrade has another backup.
  if (!isColdCopy(context)) await context.journal.note('copying', backup);
  await makeCopy(context, undefined);
  const copy = copyName(context.target);
  context.log.info((await runCopyJob(context, { command: 'restore', source: backup, copy })).message);
}

/** What `tryCopy` will do. */
export function planTrial({ target, settings, scripts }: PlanContext): Move[] {
  const until = 'the trial has ended';
  const copy = copyName(target);
  const job = copyJob(target, settings, scripts, { command: 'room', copy, node: target.pod?.spec?.nodeName });
  return [
    { does: 'create', resource: 'persistentvolumeclaims', object: copyClaim(target, copy, undefined), until },
    { does: 'create', resource: 'jobs', object: job, until },
  ];
}

/**
 * While the server runs: makes a claim like the backup's, has a pod on the server's node write to it, and looks whether a copy has room there. No data is copied.
 * @throws UpgradeError `copy-failed`
 */
export async function tryCopy(context: Context): Promise<void> {
  const { cluster, target, inputs, log, timeline } = context;
  const limit = inputs.verifyBackupTimeout;
  const copy = copyName(target);
  await expectReadable(context);
  await makeCopy(context, undefined);
  const neededBytes = await usedBytes(context);
  const pod = await cluster.find('pods', target.podName, target.namespace);
  const work: CopyWork = { command: 'room', copy, neededBytes, node: pod?.spec?.nodeName };
  const { message, seconds } = await withinTrial(() =>
    runCopyJob(context, work, { jobStartTimeout: limit, jobTimeout: limit }),
  );
  log.info(`A volume like the server's can be made and used on its node: ${message}`);
  const measured = trialBytes / Math.max(seconds?.['write'] ?? 0, 0.001);
  await removeCopy(context);
  if (neededBytes === 0) return;
  // Written once and read once more.
  const expected = Math.round(5 + (2 * neededBytes) / Math.min(pace, measured));
  timeline.expect({ backup: expected });
  if (expected * 1000 > inputs.jobTimeout)
    throw new UpgradeError(
      'copy-failed',
      `The copy of the volume is expected to take ${minutes(expected)}, and "job-timeout" is ${minutes(inputs.jobTimeout / 1000)}. Nothing was stopped.`,
      'Set "job-timeout" to a longer time. The downtime is longer by the copy: another "backup" may be better for so much data.',
    );
}

function minutes(seconds: number): string {
  return `${String(Math.ceil(seconds / 60))} min`;
}

/**
 * Looks for what the server's user can't read, in its pod: the Job runs as that user. pg_upgrade does not mind it beside the data directory.
 * @throws UpgradeError `copy-failed`
 */
async function expectReadable({ database, target, inputs }: Context): Promise<void> {
  const { mountPath } = target.volume;
  const ours = ['lost+found', '.postgresql-upgrade-copy'].map((name) => `${mountPath}/${name}`);
  const [first = '', second = ''] = ours;
  const command = [
    ...['find', mountPath, '-mindepth', '1', '(', '-path', first, '-o', '-path', second, ')', '-prune'],
    ...['-o', '!', '-type', 'l', '!', '-readable', '-print', '-quit'],
  ];
  const look = async () => (await database.look(command, inputs.verifyBackupTimeout)).stdout.trim();
  const found = await look();
  // What is gone meanwhile is not readable either.
  if (found === '' || (await look()) !== found) return;
  throw new UpgradeError(
    'copy-failed',
    `The server's user can't read ${oneLine(found)} on the volume, so that a Job which runs as that user can't copy the volume. Nothing was stopped.`,
    "Give it to the server's user, or remove it from the volume. Then run again.",
  );
}

async function withinTrial<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof WaitError)) throw error;
    throw new UpgradeError(
      'copy-failed',
      `The trial of a volume for the copy did not end within "verify-backup-timeout": ${describe(error)}`,
      'Look at the StorageClass: it has to make a volume that the node of PostgreSQL can use.',
    );
  }
}

/** Bytes on the server's volume; 0 where they could not be counted. */
async function usedBytes({ database, target, inputs, log }: Context): Promise<number> {
  const counted = await known(() => database.look(['du', '-sk', target.volume.mountPath], inputs.verifyBackupTimeout));
  const [, kibibytes] = /^(\d{1,15})\s/.exec(counted.known ? counted.value.stdout : '') ?? [];
  if (kibibytes === undefined)
    log.info('Could not count the bytes on the volume, so the room for a copy is not compared');
  return Number(kibibytes ?? 0) * 1024;
}

/** Whether the scheduler only waits for a volume: classes that bind at once need some seconds for it. */
function isOfVolume(obstacle: string): boolean {
  return /unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found/.test(obstacle);
}

/**
 * Runs a Job that copies, from its beginning. Then removes it: its ended pod would keep Kubernetes from deleting the claims.
 * @throws UpgradeError `copy-failed`
 */
async function runCopyJob(
  context: Context,
  work: CopyWork,
  limits: Limits = context.inputs,
  expected?: number,
): Promise<JobResult> {
  await expectFreeName(context, copyJobName);
  await endCopyJob(context);
  // The trial has to run on the server's node.
  const isAtAnchor = work.command === 'copy' && work.node !== undefined;
  const isLost = (waiting: V1Pod) => {
    const obstacle = unschedulable(waiting);
    return isAtAnchor && obstacle !== undefined && !isOfVolume(obstacle);
  };
  let pod = await waitForStart(context, await createJob(context, work), limits.jobStartTimeout, isLost);
  if (isLost(pod)) {
    await makeFree(context, pod);
    pod = await waitForStart(context, await createJob(context, { ...work, node: undefined }), limits.jobStartTimeout);
  }
  const end = await followToEnd(context, pod, limits.jobTimeout, expected);
  await endCopyJob(context);
  if (end.exitCode === 0 && end.result !== undefined) return end.result;
  const what = work.command === 'room' ? 'try a volume for the copy' : `fill PersistentVolumeClaim ${work.copy}`;
  throw new UpgradeError(
    'copy-failed',
    `Job ${copyJobName} could not ${what}: ${jobFailure(end)}`,
    "The Job only reads the volume that it copies. Look at this run's log, then at the StorageClass and the room on the volume.",
  );
}

async function createJob({ cluster, target, settings, scripts }: Context, work: CopyWork): Promise<V1Job> {
  return await cluster.create('jobs', copyJob(target, settings, scripts, work), { namespace: target.namespace });
}

/** Where no node takes the pod, as long as it has to go to the anchor's: removes Job and anchor, so that another Job can go anywhere. */
async function makeFree(context: Context, pod: V1Pod): Promise<void> {
  context.log.info(
    `No node takes the pod of Job ${copyJobName}, which has to go where the volume is: ${unschedulable(pod) ?? ''}`,
  );
  await endCopyJob(context);
  await detach(context, `the pod of Job ${copyJobName} has to go to another one`);
}
