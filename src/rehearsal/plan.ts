import { PrecheckError } from '../common/errors.ts';
import type { Facts } from '../facts/facts.ts';
import { jobOf, recordedBy } from '../facts/job-of.ts';
import type { BackupKind } from '../inputs/backup-kinds.ts';
import type { RehearsalMark } from '../objects/rehearsal.ts';
import { obstacleToTrial } from '../probes/trial-pod.ts';
import type { RehearsalContext } from './context.ts';

/**
 * What a rehearsal of this server works with, besides its surroundings.
 * @throws PrecheckError `rehearsal-refused` for a server that can't be rehearsed, with the reason; `facts-missing` where facts are unknown
 */
export function planRehearsal(
  facts: Facts,
  mark: RehearsalMark,
): Pick<RehearsalContext, 'settings' | 'copying' | 'followsServer' | 'serving' | 'seen'> {
  const { server, inputs, target, serving } = facts;
  const job = jobOf(facts);
  if (job === undefined || !server.known)
    throw new PrecheckError(
      'facts-missing',
      'Facts that the rehearsal needs are unknown. Nothing was made.',
      'Look at the findings that are unknown, then run again.',
    );
  const obstacle = obstacleToTrial(target, server.value.archiveMode);
  if (obstacle !== undefined)
    throw refused(
      `PostgreSQL can't be started on a copy: ${obstacle}`,
      'Upgrade without a rehearsal. The upgrade proves the backup by itself.',
    );
  // Two rehearsals of one run are two: the second one must not read the result of the first.
  const settings = { ...job, runId: `${mark.runId}@${mark.begunAt.toISOString()}` };
  const { upgradeProbe, servingProbe } = facts;
  const seen = { upgrade: recordedBy(facts, upgradeProbe), serving: recordedBy(facts, servingProbe) };
  const copying = copyingOf(facts, inputs.backup);
  return { settings, serving, seen, copying, followsServer: copying.kind === 'clone' || !isMadeAtOnce(facts) };
}

/** Whether the class makes a volume before a pod uses it, anywhere: then the pod goes where the volume is. */
function isMadeAtOnce({ storageClass }: Facts): boolean {
  const found = storageClass.known ? storageClass.value.found : undefined;
  // Kubernetes' default is Immediate.
  return found !== undefined && found.volumeBindingMode !== 'WaitForFirstConsumer';
}

function copyingOf({ snapshotClass }: Facts, backup: BackupKind): RehearsalContext['copying'] {
  if (backup === 'clone') return { kind: 'clone' };
  if (backup !== 'snapshot')
    throw refused(
      `"backup: ${backup}" takes neither a snapshot nor a clone, and a rehearsal needs a copy of the running server's volume`,
      'If the storage has snapshots or clones, set "backup" to "snapshot" or "clone". Otherwise upgrade without a rehearsal.',
    );
  const chosen = snapshotClass.known ? snapshotClass.value.chosen : undefined;
  if (chosen === undefined)
    throw refused(
      'The VolumeSnapshotClass of the volume is unknown',
      'Look at the check volume-snapshot. Set "volume-snapshot-class", or "backup: clone" where the storage clones volumes.',
    );
  return { kind: 'snapshot', className: chosen.metadata.name };
}

function refused(why: string, remedy: string): PrecheckError {
  return new PrecheckError('rehearsal-refused', `${why}. Nothing was made.`, remedy);
}
