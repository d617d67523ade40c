// The rollback where the journal can't be trusted. It uses what the cluster shows: a new journal is made from that, and the Job sees on the disk which files exist.
// Decision: docs/decisions/0008-journal.md
import type { V1ConfigMap } from '@kubernetes/client-node';
import { confirmBackup, confirmImage, confirmWithoutJournal, type Consent } from '../inputs/consent.ts';
import { PrecheckError } from '../common/errors.ts';
import { withServersImage, type Inputs } from '../inputs/inputs.ts';
import { wholeCpus } from '../inputs/resources.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import { isScaled, workloadName, type Workload } from '../target/applications.ts';
import { serverImage, volumeName, type Target } from '../target/target.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import { backupName } from '../objects/backup.ts';
import { findOpenSwap, type OpenSwap } from './backup/open-swap.ts';
import { isFromOurs } from './backup/copy.ts';
import { copyName } from '../objects/copy.ts';
import { findBackup, howToName, type FoundBackup } from './backup/our-backup.ts';
import { objectName } from '../common/grammar.ts';
import { imageHistory } from './image-history.ts';
import { Journal } from '../journal/journal.ts';
import { highestCounter } from '../journal/counter.ts';
import { journalName } from '../objects/journal-name.ts';
import type { Noted } from '../journal/notes.ts';
import { doubtfulNote } from '../journal/reader.ts';
import { recordCodec, type JournalRecord } from '../journal/record.ts';
import type { JournalSeal } from '../journal/seal.ts';
import { uidsOf } from './upgrade.ts';

/** What a rollback without the journal would use. */
export interface Evidence {
  readonly record: JournalRecord;
  readonly noted: Readonly<Noted>;
  /** All that an administrator should check beforehand, a line each. */
  readonly lines: readonly string[];
  /** The journal that the rollback replaces. */
  readonly untrusted: V1ConfigMap | undefined;
}

/**
 * Reads what the cluster shows. Changes nothing.
 * @throws PrecheckError when the image of PostgreSQL 12 is unknown
 */
export async function readEvidence(
  cluster: ClusterReader,
  {
    inputs,
    target,
    consent,
    runId,
    startedAt,
  }: { inputs: Inputs; target: Target; consent: Consent; runId: string; startedAt: string },
): Promise<Evidence> {
  const { namespace } = target;
  const untrusted = await cluster.find('configmaps', journalName, namespace);
  const image = await formerImage(cluster, inputs, target, consent);
  const open = await findOpenSwap(cluster, { ...target, claimName: target.volume.claimName }, untrusted?.data);
  const found = await backupOf(cluster, target, consent, await doubtfulNote(untrusted?.data, 'backup'));
  const { resources } = inputs;
  const record: JournalRecord = {
    schema: 4,
    ...{ runId, startedAt, image },
    uids: { ...uidsOf(target), ...(open === undefined ? {} : { claim: open.formerClaim }) },
    statefulSet: target.name,
    claim: target.volume.claimName,
    serving: inputs.servingImage,
    replicas: 1,
    applications: [...target.applications],
    volume: open?.exchange.former ?? volumeName(target) ?? '',
    reclaimPolicy: target.volume.persistentVolume?.spec?.persistentVolumeReclaimPolicy ?? 'Delete',
    backup: recordedKind(found),
    job: {
      // By the image of PostgreSQL 12: that of PostgreSQL 14 may come from elsewhere.
      image: withServersImage(inputs, image).upgradeImage,
      imagePullSecret: inputs.imagePullSecret,
      resources,
      jobs: inputs.jobs ?? wholeCpus(inputs.resources),
      transfer: inputs.transfer,
      // A rollback initialises nothing.
      initdb: { superuser: 'postgres', encoding: 'UTF8', collate: 'C', ctype: 'C' },
    },
  };
  const copy = await cluster.find('persistentvolumeclaims', copyName(target), namespace);
  const isCopyLeft = open === undefined && copy !== undefined && isFromOurs(target, copy.spec);
  const noted: Noted = {
    step: 'restore-applications',
    ...(isCopyLeft ? { copy: new Date(copy.metadata?.creationTimestamp ?? startedAt) } : {}),
    ...(found === undefined ? {} : { backup: found.backup.name }),
    ...(open === undefined ? {} : { exchange: open.exchange }),
  };
  const lines = [
    `the action would start PostgreSQL 12 with image ${image}`,
    ...(await dataLines(cluster, target, consent, found, open)),
    ...target.applications.map((workload) => `the action would leave ${workloadName(workload)} as it is now`),
    ...formerStates(target, untrusted?.data?.['record']),
    ...(isCopyLeft
      ? [
          `the action would delete PersistentVolumeClaim ${copyName(target)}, a copy of the server's volume, with its volume`,
        ]
      : []),
  ];
  return { record, noted, lines, untrusted };
}

/** Makes a journal from it, and replaces the one that can't be trusted. */
export async function beginWithoutJournal(
  cluster: LeasedCluster,
  seal: JournalSeal,
  namespace: string,
  { record, noted, untrusted }: Evidence,
  reason: string,
): Promise<Journal<LeasedCluster>> {
  const { exchange } = noted;
  const highest = await highestCounter(cluster, [record.volume, ...(exchange === undefined ? [] : [exchange.volume])]);
  return await Journal.replace(
    cluster,
    namespace,
    seal,
    record,
    { ...noted, rollback: reason },
    {
      counter: highest + 1,
      ended: untrusted && { uid: untrusted.metadata?.uid ?? '', seal: untrusted.data?.['seal'] },
    },
  );
}

/** By the StatefulSet's own history: the image before that of PostgreSQL 14. */
async function formerImage(
  cluster: ClusterReader,
  inputs: Inputs,
  target: Target,
  { image }: Consent,
): Promise<string> {
  if (image !== undefined) return image;
  const ofFourteen = inputs.servingImage.reference;
  const images = [...new Set([serverImage(target), ...(await imageHistory(cluster, target))])];
  const others = images.filter((one) => one !== ofFourteen);
  const [only] = others;
  if (only !== undefined && others.length === 1) return only;
  throw new PrecheckError(
    'former-image-unknown',
    `The action can't tell which image PostgreSQL 12 had. StatefulSet ${target.name} has had: ${images.join(', ')}. Nothing was changed.`,
    `Find the image of PostgreSQL 12 (values.yaml in Git has it), and name it in "confirm", for example "confirm: ${confirmImage(inputs.confirm, only ?? 'registry/repository:tag')}".`,
  );
}

/**
 * The backup that somebody named in `confirm`; else the one that the journal names, if the cluster shows that this action made it of the server's volume.
 * @throws PrecheckError where the named object is no such backup
 */
async function backupOf(
  cluster: ClusterReader,
  target: Target,
  consent: Consent,
  told: string | null | undefined,
): Promise<FoundBackup | undefined> {
  const { backup: named } = consent;
  const name = objectName.safeParse(named ?? told);
  if (!name.success) return undefined;
  const found = await findBackup(cluster, target, name.data);
  if (found !== undefined && found !== 'foreign') return found;
  if (named === undefined) return undefined;
  throw new PrecheckError(
    'backup-unknown',
    `"confirm" names ${named} as the backup. ${found === undefined ? 'No VolumeSnapshot or PersistentVolumeClaim has that name.' : `It is not a backup that this action made of PersistentVolumeClaim ${target.volume.claimName}.`} Nothing was changed.`,
    await howToName(cluster, target, confirmNamed(target, consent)),
  );
}

function recordedKind(found: FoundBackup | undefined): JournalRecord['backup'] {
  if (found === undefined) return { kind: 'external' };
  if (found.backup.kind !== 'snapshot') return { kind: found.backup.kind };
  return { kind: 'snapshot', class: found.class };
}

/** The source of PostgreSQL 12's data, and the other backups. */
async function dataLines(
  cluster: ClusterReader,
  target: Target,
  consent: Consent,
  found: FoundBackup | undefined,
  open: OpenSwap | undefined,
): Promise<string[]> {
  if (open !== undefined)
    return [
      `PersistentVolume ${open.exchange.volume}, the copy of the backup on which PostgreSQL 12 was started, would replace ${open.exchange.former}, which Kubernetes keeps (Retain)`,
    ];
  return [
    found === undefined
      ? 'the cluster shows no backup of this upgrade. If PostgreSQL 14 has served on linked files, only a backup that you name or have restores PostgreSQL 12'
      : `if PostgreSQL 14 has served on linked files, the action would restore ${backupName(found.backup)}, made at ${found.madeAt}`,
    await howToName(cluster, target, confirmNamed(target, consent)),
  ];
}

/** The present value of `confirm`, with a backup added. */
function confirmNamed({ namespace }: Target, { image }: Consent): string {
  const confirm = confirmWithoutJournal(namespace);
  return confirmBackup(image === undefined ? confirm : confirmImage(confirm, image), 'NAME');
}

/** The former states of the applications by the journal, as commands: only a person can tell whether they are true. */
function formerStates(target: Target, text: string | undefined): string[] {
  let told: readonly Workload[];
  try {
    told = recordCodec.decode(text ?? '').applications;
  } catch {
    return ['the journal can not be read, so the former state of the applications is unknown'];
  }
  return told.flatMap((workload) => {
    const now = target.applications.find((one) => workloadName(one) === workloadName(workload));
    if (now === undefined || !isScaled(now) || !isScaled(workload) || now.replicas === workload.replicas) return [];
    const name = workloadName(workload);
    const command = shell`kubectl -n ${target.namespace} scale ${name} --replicas=${String(workload.replicas)}`;
    return [
      `${name} had ${String(workload.replicas)} replicas, if the journal is right. To restore them afterwards: ${copyable(command)}`,
    ];
  });
}
