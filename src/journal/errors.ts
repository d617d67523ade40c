import { confirmWithoutJournal } from '../inputs/consent.ts';
import { UpgradeError } from '../common/errors.ts';
import { copyable } from '../text/commands.ts';
import { openAnnotation } from './counter.ts';
import { shell } from '../text/shell.ts';
import { journalName } from '../objects/journal-name.ts';
import type { JournalData } from './seal.ts';

/** The ConfigMap is not, to the byte, what a run of this action wrote with the password that the Secret has now. */
export function notAuthentic(namespace: string, data: JournalData): UpgradeError {
  const why =
    data['seal'] === undefined
      ? 'It has no seal, so no run of this action wrote it as it is.'
      : "Its seal does not fit: either somebody else wrote to it, or the value of the superuser's Secret was changed since the upgrade began. From the journal alone these two can't be told apart.";
  return new UpgradeError(
    'journal-not-authentic',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, is not authentic. ${why} Nothing was changed.`,
    `If the Secret was changed: put its former value back, and run again. ${otherwise(namespace)}`,
  );
}

/** An older authentic journal stands in the place of a later one. */
export function replayed(namespace: string, counter: number, highest: number): UpgradeError {
  return new UpgradeError(
    'journal-replayed',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, is an older one: it is at change ${String(counter)}, and the PersistentVolume knows of change ${String(highest)}. Somebody put it back. Nothing was changed.`,
    `If you have the later one, in a backup of the cluster for example: put that back, and run again. ${otherwise(namespace)}`,
  );
}

/** What shows that an upgrade has not ended, and the remedy where it has ended all the same. */
export interface OpenSign {
  readonly what: string;
  readonly otherwise: string;
}

export function saidByVolume(volume: string): OpenSign {
  return {
    what: `PersistentVolume ${volume} says so by its annotation ${openAnnotation}`,
    otherwise: ` If PostgreSQL serves as you want it: start the applications, and take the annotation off: ${copyable(endByHand(volume))}`,
  };
}

export function saidByGate(statefulSet: string): OpenSign {
  return { what: `the pod template of StatefulSet ${statefulSet} has the upgrade's scheduling gate`, otherwise: '' };
}

/** No journal is there, although an upgrade has not ended. */
export function journalGone(namespace: string, { what, otherwise }: OpenSign): UpgradeError {
  return new UpgradeError(
    'journal-gone',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, is missing, but an upgrade has not ended: ${what}. Nothing was changed.`,
    `If you have the ConfigMap in a backup of the cluster: put it back, and run again. If not, "mode: rollback" with "confirm: ${confirmWithoutJournal(namespace)}" restores PostgreSQL 12 by what the cluster and the disk show. It leaves the applications as they are: start them afterwards.${otherwise}`,
  );
}

/** The command after which the volume says no more that an upgrade is open. */
export function endByHand(volume: string): string {
  return shell`kubectl annotate persistentvolume ${volume} ${openAnnotation}-`;
}

/** A journal that fits its seal, but holds something that this version would not write. */
export function journalInvalid(namespace: string, name: string, reason: string): UpgradeError {
  return new UpgradeError(
    'journal-invalid',
    `The journal, ConfigMap ${journalName} in namespace ${namespace}, can't be read: ${name}: ${reason}. Nothing was changed.`,
    `If another version of this action began the upgrade: run that version. ${otherwise(namespace)}`,
  );
}

function otherwise(namespace: string): string {
  return `If an upgrade is under way and that can't be done: "mode: rollback" with "confirm: ${confirmWithoutJournal(namespace)}" goes back by what the cluster and the disk show. If none is under way: ${copyable(shell`kubectl -n ${namespace} delete configmap ${journalName}`)}`;
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

/** Somebody has made the ConfigMap immutable, and this run may not make it again. */
export function journalImmutable(namespace: string, cause: unknown): UpgradeError {
  const again = shell`kubectl -n ${namespace} get configmap ${journalName} -o yaml`;
  return new UpgradeError(
    'journal-immutable',
    `The API server refuses to change the content of the journal, ConfigMap ${journalName} in namespace ${namespace}: somebody made it immutable. It could not be removed either, to be made again.`,
    `Make it again with the same content: ${copyable(`${again} | sed '/^immutable: true$/d' | kubectl replace --force -f -`)} Then run again. The account of this action needs the right to delete that ConfigMap.`,
    { cause },
  );
}
