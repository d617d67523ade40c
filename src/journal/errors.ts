import { confirmWithoutJournal } from '../inputs/consent.ts';
import { UpgradeError } from '../common/errors.ts';
import { copyable } from '../text/commands.ts';
import { openAnnotation } from './counter.ts';
import { shell } from '../text/shell.ts';
import { journalName } from '../objects/journal-name.ts';
import type { JournalData } from './seal.ts';

/** The ConfigMap is not exactly what a run of this action wrote with the password that the Secret has now. */
export function notAuthentic(namespace: string, data: JournalData): UpgradeError {
  const why =
    data['seal'] === undefined
      ? 'It has no seal, so no run of this action wrote it as it is.'
      : "Its seal does not match. Somebody else wrote to it, or somebody changed the value of the superuser's Secret since the upgrade began. The journal alone does not show which.";
  return new UpgradeError(
    'journal-not-authentic',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, is not authentic. ${why} Nothing was changed.`,
    `If the Secret was changed, restore its former value and run again. ${otherwise(namespace)}`,
  );
}

/** An older authentic journal has replaced a later one. */
export function replayed(namespace: string, counter: number, highest: number): UpgradeError {
  return new UpgradeError(
    'journal-replayed',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, is older than the newest one. It is at change ${String(counter)}, but the PersistentVolume has counted change ${String(highest)}. Somebody restored an old ConfigMap. Nothing was changed.`,
    `If you have the newest one, for example in a backup of the cluster, restore it and run again. ${otherwise(namespace)}`,
  );
}

/** What shows that an upgrade has not ended, and the remedy if it has ended all the same. */
export interface OpenSign {
  readonly what: string;
  readonly otherwise: string;
}

export function saidByVolume(volume: string): OpenSign {
  return {
    what: `PersistentVolume ${volume} has the annotation ${openAnnotation}: true`,
    otherwise: ` If PostgreSQL serves as you want it, start the applications and remove the annotation: ${copyable(endByHand(volume))}`,
  };
}

export function saidByGate(statefulSet: string): OpenSign {
  return { what: `the pod template of StatefulSet ${statefulSet} has the upgrade's scheduling gate`, otherwise: '' };
}

/** The journal is missing, although an upgrade has not ended. */
export function journalGone(namespace: string, { what, otherwise }: OpenSign): UpgradeError {
  return new UpgradeError(
    'journal-gone',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, is missing, but an upgrade has not ended: ${what}. Nothing was changed.`,
    `If you have the ConfigMap in a backup of the cluster, restore it and run again. If not, "mode: rollback" with "confirm: ${confirmWithoutJournal(namespace)}" restores PostgreSQL 12 by what the cluster and the disk show. It leaves the applications as they are: start them afterwards.${otherwise}`,
  );
}

/** The command that removes the mark of an open upgrade from the volume. */
export function endByHand(volume: string): string {
  return shell`kubectl annotate persistentvolume ${volume} ${openAnnotation}-`;
}

/** A journal with a matching seal, which holds something that this version would not write. */
export function journalInvalid(namespace: string, name: string, reason: string): UpgradeError {
  return new UpgradeError(
    'journal-invalid',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, can't be read: ${name}: ${reason}. Nothing was changed.`,
    `If another version of this action began the upgrade, run that version. ${otherwise(namespace)}`,
  );
}

function otherwise(namespace: string): string {
  return `If an upgrade is under way and you can't do that, "mode: rollback" with "confirm: ${confirmWithoutJournal(namespace)}" restores PostgreSQL 12 by what the cluster and the disk show. If no upgrade is under way, delete the journal: ${copyable(shell`kubectl -n ${namespace} delete configmap ${journalName}`)}`;
}

/** Somebody else wrote to the journal while this run worked with it. */
export function journalChanged(namespace: string, cause: unknown): UpgradeError {
  return new UpgradeError(
    'journal-changed',
    `Somebody else changed the journal, ConfigMap ${journalName} in namespace ${namespace}, while this run worked with it.`,
    `Find out who writes to that ConfigMap, then run "mode: status".`,
    { cause },
  );
}

/** Somebody has made the ConfigMap immutable, and this run may not create it again. */
export function journalImmutable(namespace: string, cause: unknown): UpgradeError {
  const again = shell`kubectl -n ${namespace} get configmap ${journalName} -o yaml`;
  return new UpgradeError(
    'journal-immutable',
    `The API server refuses to change the content of the journal, ConfigMap ${journalName} in namespace ${namespace}: somebody made it immutable. The action could not delete it either, to create it again.`,
    `Create it again with the same content: ${copyable(`${again} | sed '/^immutable: true$/d' | kubectl replace --force -f -`)} Then run again. The account of this action needs the right to delete that ConfigMap.`,
    { cause },
  );
}
